"""What a client writes where a number belongs: answered, and never a fault of ours."""

import json
from urllib.parse import quote

import pytest
from django.test import Client

from tests.interfaces.graphql.conftest import Asker
from tests.interfaces.original.page import token_of
from tests.routes import path_of, routes

NUMBERS = {
    "twenty zeros and many nines": "0" * 20 + "9" * 5_000,
    "more digits than int() takes": "9" * 5_000,
    "just more than the database holds": str(2**63),
    "what the database holds": str(2**63 - 1),
    "twenty digits": "1" * 20,
    "another script's": "٣",
    "a square": "²",
    "with a line": "1_0",
    "signed": "+1",
    "negative": "-1",
    "nothing but zeros": "0" * 30,
}


def with_numbers(route, number):
    """The route with that in each place that takes something; None where none does."""
    return path_of(route, {}, other=quote(number)) if "<" in route else None


ROUTES = sorted({route for route in routes() if with_numbers(route, "1")})
QUERIES = ("page", "size", "limit", "after", "before", "cursor", "p", "owner__id__exact", "o")


@pytest.fixture
def anyone(room, alice, settings):
    """Alice, who may go everywhere; a fault raises nothing here, it is answered 500."""
    settings.API_RATE = 1_000_000
    alice.is_staff = alice.is_superuser = True
    alice.save()
    client = Client(raise_request_exception=False)
    client.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    client.cookies["Authorization"] = f"Bearer%20{token_of(alice)}"  # for the original's doors
    return client


def test_there_are_such_routes():
    assert len(ROUTES) > 40
    assert {"api/open-chats/read/<str:chat_id>", "rooms/<number:room_id>/"} <= set(ROUTES)


@pytest.mark.parametrize("number", NUMBERS)
def test_in_a_path_it_is_a_number_or_no_address(anyone, number):
    faults = []
    for route in ROUTES:
        path = with_numbers(route, NUMBERS[number])
        for method in ("GET", "PUT", "POST", "DELETE"):
            answer = anyone.generic(method, path, "{}", "application/json")
            if answer.status_code >= 500:
                faults.append((method, route, answer.status_code))
    assert faults == []


@pytest.mark.parametrize("number", NUMBERS)
def test_in_a_query_it_is_a_number_or_refused(anyone, room, number):
    faults = []
    paths = ["/", "/lobby/rooms/", f"/rooms/{room.pk}/history/", f"/rooms/{room.pk}/members/"]
    paths += [f"/api/v1/rooms/{room.pk}/{of}/" for of in ("events", "missed", "members")]
    paths += ["/api/v1/rooms/", "/api/open-chats", f"/api/open-chats/read/{room.pk}"]
    paths += ["/admin/rooms/room/", "/admin/accounts/user/", "/admin/admin/logentry/"]
    for path in paths:
        for name in QUERIES:
            answer = anyone.get(path, {name: NUMBERS[number]})
            if answer.status_code >= 500:
                faults.append((path, name, answer.status_code))
    assert faults == []


@pytest.mark.parametrize("number", NUMBERS)
def test_graphql_refuses_it_as_an_id_a_page_and_a_cursor(room, alice, number):
    alices, text = Asker(alice), NUMBERS[number]
    queries = [
        f"{{ room(number: {json.dumps(text)}) {{ title }} }}",
        f"{{ getChatRoomById(id: {json.dumps(text)}) {{ id }} }}",
        f"{{ rooms(after: {json.dumps(text)}) {{ edges {{ cursor }} }} }}",
        f"{{ rooms(first: {text}) {{ edges {{ cursor }} }} }}",
        f"{{ room(number: {text}) {{ title }} }}",
    ]
    for query in queries:
        answer = alices(query)
        assert answer.status in (200, 400)
        assert "error" not in (answer.codes if "errors" in answer.body else ())


def test_the_fault_of_the_original_is_the_404_that_its_page_knows(anyone):
    for ask in (anyone.get, anyone.put):
        answer = ask("/api/open-chats/read/" + NUMBERS["twenty zeros and many nines"])
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_the_last_number_that_there_is_can_be_asked_for(anyone):
    assert anyone.get(f"/rooms/{2**63 - 1}/").status_code == 404
