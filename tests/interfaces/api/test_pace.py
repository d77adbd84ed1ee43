"""Rate limits: per person, per address for nobody, over all processes, and none without Redis."""

from uuid import uuid4

import jwt
import pytest
from django.conf import settings as django_settings
from django.test import Client, RequestFactory
from redis.exceptions import ConnectionError

from accounts import devices, tokens
from core import client_ip


@pytest.fixture(autouse=True)
def own_counts(monkeypatch):
    """Not those of other tests at the same address."""
    mark = f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::"
    monkeypatch.setattr(client_ip, "of", lambda request: mark)


def test_a_person_is_told_the_limit_and_when_it_ends(as_bob, as_charlie, settings):
    settings.API_RATE = 3
    answers = [as_bob("GET", "me/") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0]["RateLimit-Policy"] == '"person";q=3;w=60'
    assert [answer["RateLimit"].split(";")[1] for answer in answers] == ["r=2", "r=1", "r=0", "r=0"]
    assert 55 <= int(answers[3]["Retry-After"]) <= 61
    assert answers[3].json()["code"] == "rate_limited"
    assert as_charlie("GET", "me/").status_code == 200  # at the same address


def test_nobody_is_limited_by_address(as_nobody, settings):
    settings.API_RATE_NOBODY = 2
    answers = [as_nobody("POST", "tokens/", {}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 429]
    assert answers[2]["RateLimit-Policy"] == '"address";q=2;w=60'


def test_without_redis_requests_go_on(as_bob, settings, monkeypatch):
    """That nobody waits for it is tests/core/test_redis.py's."""
    settings.API_RATE = 1

    def down(*_ignored):
        raise ConnectionError("gone")

    monkeypatch.setattr("limits.strategies.MovingWindowRateLimiter.hit", down)
    assert [as_bob("GET", "me/").status_code for _ in range(3)] == [200, 200, 200]


@pytest.fixture
def dana(alice):
    alice.set_password("a long and quiet evening")
    alice.save()
    return devices.sign_in(RequestFactory().post("/"), alice.email, "a long and quiet evening")


def junk(as_nobody, times):
    tries = [as_nobody("POST", "tokens/refresh/", {"refresh": "x.y.z"}) for _ in range(times)]
    return [answer.status_code for answer in tries]


def test_junk_of_a_neighbour_keeps_nobody_from_refreshing(as_nobody, dana, settings):
    settings.API_RATE_NOBODY = 3
    assert junk(as_nobody, 5) == [401] * 3 + [429] * 2
    answer = as_nobody("POST", "tokens/refresh/", {"refresh": dana.refresh})
    assert answer.status_code == 200 and answer["RateLimit-Policy"] == '"device";q=3;w=60'
    token = {"token": answer.json()["access"]}
    assert as_nobody("POST", "tokens/verify/", token).status_code == 200
    assert junk(as_nobody, 1) == [429]


def test_nor_from_being_told_that_a_token_has_run_out(as_nobody, dana, settings):
    """401 is what makes a client refresh; of 429 it would only wait."""
    settings.API_RATE_NOBODY = 2
    old = run_out(dana.access)
    headers = {"Authorization": f"Bearer {old}"}
    junk(as_nobody, 3)
    bad = {"Authorization": "Bearer x.y.z"}
    assert as_nobody("GET", "me/", **bad).status_code == 429
    codes = [as_nobody("GET", "me/", **headers).status_code for _ in range(3)]
    assert codes == [401, 401, 429], "and who does it again and again has a limit of its own"


def run_out(access):
    jwts = settings_of_tokens()
    claims = jwt.decode(access, jwts["SIGNING_KEY"], ["HS256"], audience="chattalk")
    return jwt.encode(claims | {"exp": claims["exp"] - 7200}, jwts["SIGNING_KEY"], "HS256")


def test_one_device_has_a_limit_of_its_own(as_nobody, dana, settings):
    settings.API_RATE_NOBODY = 2
    refresh, codes = dana.refresh, []
    for _ in range(3):
        answer = as_nobody("POST", "tokens/refresh/", {"refresh": refresh})
        codes.append(answer.status_code)
        refresh = answer.json().get("refresh", refresh)
    assert codes == [200, 200, 429]


@pytest.mark.parametrize(
    "forged",
    [
        lambda claims: jwt.encode(claims, "another key" * 4, "HS256"),
        lambda claims: jwt.encode(claims, "", "none"),
        lambda claims: jwt.encode(claims | {"sid": "x"}, settings_of_tokens()["SIGNING_KEY"]),
        lambda claims: "x" * 3000,
    ],
)
def test_what_we_have_not_signed_is_nobodys(dana, forged):
    keys = settings_of_tokens()["SIGNING_KEY"]
    claims = jwt.decode(dana.access, keys, ["HS256"], audience="chattalk")
    assert tokens.signed_for(dana.access) == tokens.signed_for(dana.refresh) == dana.device_id
    assert tokens.signed_for(forged(claims)) is None


def settings_of_tokens():
    return django_settings.SIMPLE_JWT


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 5000, b'{"refresh": 5}', b"\xff"])
def test_a_body_that_can_not_be_read_counts_and_is_refused_as_ever(as_nobody, settings, body):
    settings.API_RATE_NOBODY = 2
    path = "/api/v1/tokens/refresh/"
    answers = [Client().post(path, body, content_type="application/json") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 429]


def test_who_signs_in_is_not_kept_out_by_junk_at_other_doors(as_nobody, dana, settings):
    settings.API_RATE_NOBODY = 2
    junk(as_nobody, 3)
    asked = {"email": "alice@example.com", "password": "a long and quiet evening"}
    assert as_nobody("POST", "tokens/", asked).status_code == 200
    assert as_nobody("POST", "accounts/", {}).status_code == 400
    login = Client().post("/api/users/login", asked, content_type="application/json")
    assert login.status_code == 200
    codes = [as_nobody("POST", "tokens/", {}).status_code for _ in range(2)]
    assert codes[-1] == 429, "which counts together at its doors"
