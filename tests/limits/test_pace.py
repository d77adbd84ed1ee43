"""How often one may try to sign in, sign up, join and open rooms: one count for all doors."""

import json
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from limits.strategies import MovingWindowRateLimiter

from accounts.models import User
from core import rate_limits
from messaging import services
from rooms.models import Membership, Room
from tests.limits.conftest import PASSWORD

SIGN_IN = {"username": "alice@example.com", "password": "wrong"}
TOKEN = {"email": "alice@example.com", "password": "wrong"}


@pytest.fixture
def somewhere():
    """A client at an address of its own, of the network that is for examples."""
    return Client(REMOTE_ADDR=f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::1")


def post(client, path, data, **more):
    return client.post(path, json.dumps(data), content_type="application/json", **more)


def sign_up(email):
    return {"email": email, "password": PASSWORD, "display_name": "Dana"}


def test_tries_to_sign_in_count_together_at_all_doors(alice, somewhere, settings):
    settings.SIGN_IN_RATE = 4
    assert somewhere.post("/accounts/sign-in/", SIGN_IN).status_code == 200
    assert somewhere.post("/admin/login/", SIGN_IN).status_code == 200
    assert post(somewhere, "/api/v1/tokens/", TOKEN).status_code == 401
    assert post(somewhere, "/api/users/login", TOKEN).status_code == 401
    page = somewhere.post("/accounts/sign-in/", SIGN_IN)
    assert page.status_code == 429 and 1 <= int(page["Retry-After"]) <= 61
    assert "Too often. Try again in 1 minute." in page.content.decode()
    assert "Too often." in somewhere.post("/admin/login/", SIGN_IN).content.decode()
    for path in ("/api/v1/tokens/", "/api/users/login"):
        refused = post(somewhere, path, TOKEN)
        assert refused.status_code == 429 and refused.json()["code"] == "rate_limited"
        assert refused["Retry-After"]


def test_a_break_of_others_does_not_keep_one_out_elsewhere(alice, somewhere, settings):
    settings.SIGN_IN_RATE = 1
    for _ in range(3):
        somewhere.post("/accounts/sign-in/", SIGN_IN)
    elsewhere = Client(REMOTE_ADDR="192.0.2.77")
    right = {"username": alice.email, "password": PASSWORD}
    assert elsewhere.post("/accounts/sign-in/", right).status_code == 302


def test_an_invented_forwarded_address_is_no_new_beginning(alice, somewhere, settings):
    settings.SIGN_IN_RATE = 3
    codes = [
        post(
            somewhere, "/api/v1/tokens/", TOKEN, headers={"X-Forwarded-For": f"203.0.113.{n}"}
        ).status_code
        for n in range(5)
    ]
    assert codes == [401] * 3 + [429] * 2


def test_new_accounts_count_together_at_all_doors(db, somewhere, settings):
    settings.SIGN_UP_RATE = 3
    assert post(somewhere, "/api/v1/accounts/", sign_up("a@example.com")).status_code == 201
    assert post(somewhere, "/api/users/signup", sign_up("b@example.com")).status_code == 200
    assert somewhere.post("/accounts/sign-up/", sign_up("c@example.com")).status_code == 302
    somewhere.post("/accounts/sign-out/")
    page = somewhere.post("/accounts/sign-up/", sign_up("d@example.com"))
    assert page.status_code == 429 and page["Retry-After"]
    assert "Too often." in page.content.decode()
    assert post(somewhere, "/api/v1/accounts/", sign_up("e@example.com")).status_code == 429
    assert post(somewhere, "/api/users/signup", sign_up("f@example.com")).status_code == 429
    assert User.objects.count() == 3


def signed_in(user):
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def test_rooms_that_one_opens_count_together_at_all_doors(alice, settings):
    settings.ROOM_RATE = 2
    client, room = signed_in(alice), {"title": "Tea", "capacity": 5}
    assert client.post("/rooms/new/", room).status_code == 302
    assert post(client, "/api/v1/rooms/", room).status_code == 201
    page = client.post("/rooms/new/", room)
    assert page.status_code == 429 and page["Retry-After"] and "Too often." in page.content.decode()
    assert post(client, "/api/v1/rooms/", room).json()["code"] == "rate_limited"
    assert Room.objects.count() == 2


def test_seats_that_one_takes_count_together_at_all_doors(alice, bob, settings):
    rooms = [services.open_room(alice, title=f"Tea {n}") for n in range(4)]
    settings.JOIN_RATE = 2
    client = signed_in(bob)
    assert client.post(f"/rooms/{rooms[0].pk}/join/").status_code == 302
    for _ in range(3):  # who has the seat does not spend another
        assert client.post(f"/rooms/{rooms[0].pk}/join/").status_code == 302
    assert client.put(f"/api/v1/rooms/{rooms[1].pk}/membership/").status_code == 201
    page = client.post(f"/rooms/{rooms[2].pk}/join/")
    assert page.status_code == 429 and page["Retry-After"] and "Too often." in page.content.decode()
    assert client.put(f"/api/v1/rooms/{rooms[3].pk}/membership/").status_code == 429
    take = {"query": f'mutation {{ incrementPersonnel(id: "{rooms[3].pk}") {{ id }} }}'}
    errors = post(client, "/graphql/", take).json()["errors"]
    assert errors[0]["extensions"]["code"] == "rate_limited"
    assert Membership.objects.filter(user=bob).count() == 2


@pytest.mark.parametrize("path", ["/api/v1/me/", "/api/open-chats", "/graphql/"])
def test_a_stream_of_bad_tokens_is_slowed(db, somewhere, settings, path):
    settings.API_RATE_NOBODY = 3
    headers = {"Authorization": "Bearer no.such.token"}
    codes = [somewhere.get(path, headers=headers).status_code for _ in range(5)]
    assert codes == [401] * 3 + [429] * 2


def test_how_long_to_wait_is_asked_of_those_alone_who_have_to(settings, monkeypatch):
    settings.JOIN_RATE = 2
    looks, look = [], MovingWindowRateLimiter.get_window_stats

    def looking(*asked):
        looks.append(asked)
        return look(*asked)

    monkeypatch.setattr(MovingWindowRateLimiter, "get_window_stats", looking)
    who = uuid4().hex
    for _ in range(2):
        rate_limits.hit("join", who)
    assert looks == []
    with pytest.raises(ValidationError) as refused:
        rate_limits.hit("join", who)
    assert len(looks) == 1 and 1 <= refused.value.params["retry_after"] <= 61
