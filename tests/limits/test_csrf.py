"""What a browser sends along by itself changes nothing: every route, by every unsafe method, with a
session that may do all of it and without the token that only our own pages have."""

import json
import re

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory
from django.urls import URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

from accounts import devices
from messaging import services
from tests.limits.conftest import PASSWORD

# They look at no cookie: what they do, they do for whoever shows a password or a token.
FOR_NOBODY = {
    "/api/v1/accounts/", "/api/v1/tokens/", "/api/v1/tokens/refresh/", "/api/v1/tokens/verify/",
    "/api/users/signup", "/api/users/login", "/api/users/logout",
}  # fmt: skip
BY_PATTERN = {"^api/": "api/nowhere/", "(?P<url>.*)$": "nowhere/"}
BODIES = [
    ("application/x-www-form-urlencoded", "title=Stolen&capacity=5&display_name=Stolen&post=yes"),
    ("application/json", json.dumps({"title": "Stolen", "display_name": "Stolen", "capacity": 5})),
    ("text/plain", '{"title": "Stolen"}'),
]


def routes(patterns=None, before=""):
    for each in get_resolver().url_patterns if patterns is None else patterns:
        here = str(each.pattern)
        if isinstance(each.pattern, RegexPattern):
            here = "rooms/" if "<app_label>" in here else BY_PATTERN[here]
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, before + here)
        else:
            yield f"/{before}{here}"


def filled(route, values):
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values[found[1]]), route)


def everything():
    """All rows of all tables."""
    tables = [model for model in apps.get_models() if model is not Session]
    return {
        model.__name__: list(model._base_manager.values_list().order_by("pk")) for model in tables
    }


@pytest.fixture
def values(alice, bob):
    alice.is_staff = alice.is_superuser = True
    alice.save()
    room = services.open_room(alice, title="Tea")
    services.join(room.pk, bob)
    pair = devices.sign_in(RequestFactory().post("/"), alice.email, PASSWORD)
    return {
        "room_id": room.pk, "user_id": bob.pk, "device_id": pair.device_id, "chat_id": room.pk,
        "object_id": room.pk, "app_label": "rooms", "content_type_id": 1, "url": "x",
        "id": bob.pk, "person_id": bob.pk, "shape": "json", "pk": room.pk,
    }  # fmt: skip


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_session_alone_changes_nothing_at_any_route(alice, values, method):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    before, tried = everything(), 0
    for route in routes():
        path = filled(route, values)
        for kind, body in BODIES if "/api/" in path or path == "/graphql/" else BODIES[:1]:
            answer = browser.generic(method, path, body, content_type=kind)
            tried += 1
            if path in FOR_NOBODY:
                assert answer.status_code in (200, 400, 405, 415), (path, answer.status_code)
            elif path.startswith("/api/open-chats"):  # the original's: a session is nobody there
                assert answer.status_code in (401, 405), (path, answer.status_code)
            elif path == "/accounts/sign-in/":  # who is in already is led on; nothing is done
                assert answer.status_code == 302, (path, answer.status_code)
            elif path == "/api/nowhere/":
                assert answer.status_code == 404
            else:  # 415: it is not even read
                refused = (403, 405) if "json" in kind else (403, 405, 415)
                assert answer.status_code in refused, (path, answer.status_code)
    assert tried > 80
    assert everything() == before
    assert browser.get("/accounts/profile/").status_code == 200, "and the session is still good"


MUTATION = 'mutation { decrementPersonnel(id: "%s") { id } }'


def test_graphql_takes_a_change_neither_by_get_nor_as_a_form(alice, values):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    query = {"query": MUTATION % values["room_id"]}
    before = everything()
    assert browser.get("/graphql/", query).status_code == 405
    assert browser.post("/graphql/", query).status_code == 403
    assert browser.post("/graphql/", query, content_type="application/json").status_code == 403
    assert everything() == before


def test_the_original_s_cookie_counts_from_our_pages_only(alice, values):
    browser = Client()
    given = json.dumps({"email": alice.email, "password": PASSWORD})
    browser.post("/api/users/login", given, content_type="application/json")
    before = everything()
    for origin in ("https://evil.example", "null"):
        answer = browser.post(
            "/api/open-chats/create", '{"title": "Stolen", "maxPersonnel": 5}',
            content_type="application/json", headers={"Origin": origin},
        )  # fmt: skip
        assert answer.status_code == 403
    assert everything() == before
