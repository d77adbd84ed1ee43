"""How many pages one may ask for, and what is said to who asks for more."""

import json

import pytest
from django.core.exceptions import ValidationError
from django.test import RequestFactory

from interfaces.web.throttle import Paced
from rooms.models import Room
from tests.limits.test_pace import signed_in
from tests.limits.test_pace import somewhere as somewhere  # (a fixture)

SIGN_IN = "/accounts/sign-in/"


def test_pages_count_per_person_and_else_per_address(alice, bob, somewhere, settings):
    settings.PAGE_RATE_NOBODY, settings.PAGE_RATE = 3, 4
    assert [somewhere.get(SIGN_IN).status_code for _ in range(4)] == [200] * 3 + [429]
    at_the_same = signed_in(alice)
    at_the_same.defaults["REMOTE_ADDR"] = somewhere.defaults["REMOTE_ADDR"]
    paths = ["/", "/accounts/profile/", "/rooms/new/", "/nowhere/", "/"]
    assert [at_the_same.get(path).status_code for path in paths] == [200, 200, 200, 404, 429]
    assert signed_in(alice).get("/").status_code == 429, "from wherever"
    assert signed_in(bob).get("/").status_code == 200


def test_the_page_says_when_to_come_back_and_does_so_itself(db, somewhere, settings):
    settings.PAGE_RATE_NOBODY = 1
    somewhere.get(SIGN_IN)
    answer = somewhere.get(f"{SIGN_IN}?next=/rooms/7/", headers={"Accept-Language": "ko"})
    page = answer.content.decode()
    seconds = int(answer["Retry-After"])
    assert answer.status_code == 429 and 1 <= seconds <= 61
    assert answer["Cache-Control"] == "no-store" and answer["Content-Language"] == "ko"
    assert f'<meta http-equiv="refresh" content="{seconds}">' in page
    assert f'href="{SIGN_IN}?next=/rooms/7/"' in page
    assert "잠시만 기다려 주세요" in page and f"{seconds}초" in page


def test_a_form_is_not_sent_again_by_itself(alice, settings):
    settings.PAGE_RATE = 1
    client = signed_in(alice)
    client.get("/")
    answer = client.post("/rooms/new/", {"title": "Tea", "capacity": 5})
    page = answer.content.decode()
    assert answer.status_code == 429 and 'http-equiv="refresh"' not in page
    assert "What you sent was not done." in page
    assert not Room.objects.exists()


def test_a_script_is_told_by_a_problem(alice, settings):
    settings.PAGE_RATE = 1
    client = signed_in(alice)
    client.get("/")
    answer = client.get("/rooms/mine/", headers={"Accept": "application/json"})
    assert answer.status_code == 429 and answer["Content-Type"] == "application/problem+json"
    assert json.loads(answer.content)["code"] == "rate_limited" and answer["Retry-After"]


def test_what_the_api_counts_is_not_counted_twice(alice, somewhere, settings):
    settings.PAGE_RATE_NOBODY = settings.PAGE_RATE = 1
    somewhere.get(SIGN_IN)
    for path in ("/api/v1/me/", "/api/open-chats", "/graphql/"):
        assert somewhere.get(path).status_code in (401, 405)


@pytest.mark.parametrize("code, status", [("unavailable", 503), ("rate_limited", 429)])
def test_a_refusal_that_nobody_shows_is_a_page_too(db, code, status):
    request = RequestFactory().post("/admin/accounts/user/add/", headers={"Accept": "text/html"})
    busy = ValidationError("Too many people.", code=code, params={"retry_after": 2})
    answer = Paced(lambda request: None).process_exception(request, busy)
    assert (answer.status_code, answer["Retry-After"]) == (status, "2")
    assert "Too many people." in answer.content.decode()
    for ours in (ValidationError("x"), ValidationError({"a": "x"}), ValueError("x")):
        assert Paced(lambda request: None).process_exception(request, ours) is None


def test_static_files_do_not_count(db, somewhere, settings):
    settings.PAGE_RATE_NOBODY = 1
    somewhere.get(SIGN_IN)
    assert somewhere.get("/static/client/chattalk.js").status_code == 200
