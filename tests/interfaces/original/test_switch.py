"""ORIGINAL_CLIENT=false: the original's doors are not there, and all others are."""

import pytest
from websockets.exceptions import InvalidStatus

from tests.doors.clients import Rest, Wire, sign_up
from tests.doors.people import OnStomp
from tests.doors.test_matrix_original import OPERATIONS
from tests.stack import Stack

SOCKETS = [
    f"/stomp/{what}/{rest}"
    for what in ("chat", "participant")
    for rest in ("123/abcdefgh/websocket", "websocket")
]


@pytest.fixture(scope="module")
def site(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        stack = Stack(1, "switched", ORIGINAL_CLIENT="false")
        with stack.in_use():
            yield stack.urls[0]
        stack.close()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_route_of_it_is_there(site, operation):
    method, path = operation.split()
    assert Rest(site)(method, path.replace("{chatId}", "1")).status == 404


@pytest.mark.parametrize("path", SOCKETS)
def test_no_socket_of_it_opens(site, path):
    with pytest.raises(InvalidStatus) as refused:
        Wire(site, path, additional_headers={"Origin": site})
    assert refused.value.response.status_code == 403, "as any path that is no door"


def test_its_part_of_graphql_is_unknown_and_the_rest_is_there(site):
    _email, ask = sign_up(site, "Bob")
    known = ask("POST", "/graphql/", {"query": "{ me { name } myRooms { edges { cursor } } }"})
    assert known.json["data"]["me"]["name"] == "Bob"
    for asked in (
        '{ getChatRoomById(id: "1") { id } }',
        '{ subscriptionsByEmail(email: "") { id } }',
        'mutation { incrementPersonnel(id: "1") { id } }',
    ):
        answer = ask("POST", "/graphql/", {"query": asked})
        assert answer.json.get("data") is None and answer.json["errors"]


def test_todays_stomp_stays(site):
    alice = OnStomp(site, "Alice")
    room = alice.rest("POST", "/api/v1/rooms/", {"title": "Tea"}).json["id"]
    alice.enter(room)
    alice.say("hello")
    assert alice.heard() == ["hello"]
    alice.go()
