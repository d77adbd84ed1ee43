"""A page that stays open asks and sends as whom it was made for, whoever signed in since."""

import re

import pytest
from django.test import Client

from messaging import services
from tests.limits.conftest import PASSWORD

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@pytest.fixture
def room(alice, bob):
    room = services.open_room(alice, title="Tea")
    services.join(room.pk, bob)
    return room


def sign_in(browser, person):
    page = browser.get("/accounts/sign-in/").content.decode()
    form = {"username": person.email, "password": PASSWORD}
    answer = browser.post(
        "/accounts/sign-in/", form | {"csrfmiddlewaretoken": TOKEN.search(page)[1]}
    )
    assert answer.status_code == 302


@pytest.mark.parametrize("path", ["history/", "missed/", "members/"])
def test_what_a_page_fetches_is_for_its_own_person_only(room, alice, bob, path):
    browser = Client()
    browser.force_login(bob)
    url = f"/rooms/{room.pk}/{path}"
    assert browser.get(url, headers={"X-ChatTalk-As": str(bob.pk)}).status_code == 200
    refused = browser.get(url, headers={"X-ChatTalk-As": str(alice.pk)})
    assert (refused.status_code, refused.json()["code"]) == (409, "somebody_else")
    assert Client().get(url, headers={"X-ChatTalk-As": str(alice.pk)}).status_code == 409


def test_a_page_says_whom_it_was_made_for(room, alice):
    browser = Client()
    assert 'data-user=""' in browser.get("/").content.decode()
    browser.force_login(alice)
    for path in ("/", f"/rooms/{room.pk}/", "/accounts/profile/", "/nowhere/"):
        assert f'data-user="{alice.pk}"' in browser.get(path).content.decode(), path


def test_a_form_of_the_person_before_does_nothing_and_leads_on_by_one_click(room, alice, bob):
    browser = Client(enforce_csrf_checks=True)
    sign_in(browser, alice)
    page = browser.get(f"/rooms/{room.pk}/").content.decode()
    token = TOKEN.search(page)[1]
    browser.post("/accounts/sign-out/", {"csrfmiddlewaretoken": token})
    sign_in(browser, bob)
    for path in (f"/rooms/{room.pk}/leave/", "/accounts/profile/", "/accounts/sign-out/"):
        page_url = f"http://testserver/rooms/{room.pk}/?a=b"
        answer = browser.post(
            path,
            {"csrfmiddlewaretoken": token, "display_name": "Stolen"},
            headers={"Referer": page_url},
        )
        assert answer.status_code == 403, path
        assert f'href="/rooms/{room.pk}/?a=b"' in answer.content.decode()
    bob.refresh_from_db()
    assert bob.display_name == "Bob"
    assert services.member_state(room.pk, bob.pk)
    assert browser.get("/accounts/profile/").status_code == 200, "and bob is still signed in"


def test_a_stale_form_leads_nowhere_else(alice):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    for referer in ("http://evil.example/x", "//evil.example", "javascript:alert(1)", ""):
        answer = browser.post("/accounts/profile/", headers={"Referer": referer})
        assert 'class="button" href="/"' in answer.content.decode(), referer


def test_who_signed_in_by_another_tab_is_in(alice):
    browser = Client(enforce_csrf_checks=True)
    stale = TOKEN.search(browser.get("/accounts/sign-in/").content.decode())[1]
    sign_in(browser, alice)
    form = {"username": alice.email, "password": PASSWORD, "csrfmiddlewaretoken": stale}
    answer = browser.post("/accounts/sign-in/", form)
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_the_page_after_a_sign_out_forgets_that_person_once(alice):
    browser = Client()
    browser.force_login(alice)
    browser.post("/accounts/sign-out/")
    assert f'data-signed-out="{alice.pk}"' in browser.get("/accounts/sign-in/").content.decode()
    assert "data-signed-out" not in browser.get("/accounts/sign-in/").content.decode()
    for strange in ("7<script>", "9" * 5_000):  # more digits than `int` takes
        browser.cookies["signed_out"] = strange
        assert "data-signed-out" not in browser.get("/accounts/sign-in/").content.decode()
    browser.post("/accounts/sign-out/")
    assert "data-signed-out" not in browser.get("/accounts/sign-in/").content.decode()
