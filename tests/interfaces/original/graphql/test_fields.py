"""The original's queries and mutations, in its names and shapes."""

import threading
from datetime import UTC, datetime

import pytest

from accounts.stand_ins import stand_in
from messaging import services
from presence import last_seen
from presence.marks import Mark
from presence.room_state import micros
from rooms.models import Room
from tests.interfaces.graphql.conftest import Asker
from tests.messaging.conftest import person

ROOM = """query ($id: ID!) {
  getChatRoomById(id: $id) { id title openUsername personnel maxPersonnel createdAt }
}"""
MESSAGES = """query ($chat: String!, $since: String!) {
  getChatMessages(chatId: $chat, exitTime: $since) { chatId type username message createdAt }
}"""
EXIT = """query ($chat: String!, $email: String!) { getExitTime(chatId: $chat, email: $email) }"""
SEATS = """query ($email: String!) { subscriptionsByEmail(email: $email) { id chatId email } }"""
JOIN = "mutation ($id: ID!) { incrementPersonnel(id: $id) { id personnel openUsername } }"
LEAVE = "mutation ($id: ID!) { decrementPersonnel(id: $id) { id personnel } }"


def test_a_member_is_shown_the_room(room, alice, bob):
    found = Asker(bob)(ROOM, id=room.pk).data["getChatRoomById"]
    written = Room.objects.get(pk=room.pk).created_at.replace(tzinfo=None)
    assert found.pop("createdAt") == written.isoformat(timespec="microseconds")
    assert found == {
        "id": str(room.pk),
        "title": "Tea",
        "openUsername": stand_in(alice.pk, "Alice"),
        "personnel": 2,
        "maxPersonnel": 10,
    }


def test_an_outsider_is_told_the_same_of_a_room_that_is_there_and_one_that_is_not(room, charlie):
    charlies = Asker(charlie)
    there, not_there = charlies(ROOM, id=room.pk), charlies(ROOM, id=room.pk + 999)
    assert there.status == 200
    assert there.body == not_there.body
    assert there.body["data"] == {"getChatRoomById": None}
    assert there.code == "not_member"


def test_an_owner_who_left_is_shown_their_room(room, alice):
    services.leave(room.pk, alice)
    found = Asker(alice)(ROOM, id=room.pk).data["getChatRoomById"]
    assert (found["personnel"], found["openUsername"]) == (1, "alice@example.com")


def test_ones_own_seats_are_listed_whatever_the_capitals(room, bob):
    found = Asker(bob)(SEATS, email=" Bob@Example.com").data["subscriptionsByEmail"]
    seat = bob.memberships.get()
    assert found == [{"id": str(seat.pk), "chatId": str(room.pk), "email": "bob@example.com"}]


@pytest.mark.parametrize("email", ["alice@example.com", "nobody@example.com", ""])
def test_anothers_email_is_refused_whether_it_is_known_or_not(room, bob, email):
    bobs = Asker(bob)
    seats, exit = bobs(SEATS, email=email), bobs(EXIT, chat=str(room.pk), email=email)
    assert (seats.code, seats.body["data"]) == ("permission_denied", None)
    assert (exit.code, exit.body["data"]) == ("permission_denied", None)
    assert email == "" or email not in str(seats.body)


def test_what_was_said_comes_from_that_second_on_and_oldest_first(room, alice, bob):
    receipt = services.post(room.pk, person(alice), "hello")
    services.post(room.pk, person(bob), "hi")
    second = receipt.at.strftime("%Y-%m-%dT%H:%M:%S")
    found = Asker(bob)(MESSAGES, chat=str(room.pk), since=second).data["getChatMessages"]
    said = [(one["username"], one["message"]) for one in found if one["type"] == "MESSAGE"]
    assert said == [(stand_in(alice.pk, "Alice"), "hello"), ("bob@example.com", "hi")]
    assert {one["chatId"] for one in found} == {str(room.pk)}


def test_the_moment_itself_is_included_and_nothing_before_it(room, alice, bob):
    receipt = services.post(room.pk, person(alice), "hello")
    bobs = Asker(bob)
    at = receipt.at.replace(tzinfo=None).isoformat(timespec="microseconds")
    (found,) = bobs(MESSAGES, chat=str(room.pk), since=at).data["getChatMessages"]
    assert found["createdAt"] == at
    everything = bobs(MESSAGES, chat=str(room.pk), since="0001-01-01T00:00:00").data
    types = [one["type"] for one in everything["getChatMessages"]]
    assert types == ["ENTER", "ENTER", "MESSAGE"]


@pytest.mark.parametrize(
    "since", ["", "yesterday", "2026-13-01T00:00:00", "2026-11-23", "2026-11-23T14:03:07Z", "\0"]
)
def test_a_time_that_is_none_is_refused(room, bob, since):
    assert Asker(bob)(MESSAGES, chat=str(room.pk), since=since).code == "bad_time"


def test_the_exit_time_is_when_they_went_and_before_that_when_they_came(room, bob):
    bobs = Asker(bob)
    ask = {"chat": str(room.pk), "email": bob.email}
    came = bob.memberships.get().joined_at
    assert bobs(EXIT, **ask).data["getExitTime"] == came.strftime("%Y-%m-%dT%H:%M:%S")
    went = datetime(2099, 1, 2, 3, 4, 5, 678_900, UTC)
    last_seen.write([Mark(room.pk, bob.pk, version=1, exit_at=micros(went))])
    assert bobs(EXIT, **ask).data["getExitTime"] == "2099-01-02T03:04:05"


def test_charlie_gets_nothing_of_what_was_said_nor_a_time(room, alice, charlie):
    services.post(room.pk, person(alice), "between us")
    charlies = Asker(charlie)
    said = charlies(MESSAGES, chat=str(room.pk), since="2000-01-01T00:00:00")
    exit = charlies(EXIT, chat=str(room.pk), email=charlie.email)
    assert (said.code, said.body["data"]) == ("not_member", None)
    assert (exit.code, exit.body["data"]) == ("not_member", None)


def test_to_increment_is_to_join_and_a_second_time_changes_nothing(room, charlie):
    charlies = Asker(charlie)
    for _time in range(2):
        found = charlies(JOIN, id=room.pk).data["incrementPersonnel"]
        assert found["personnel"] == 3
    assert charlie.memberships.filter(room=room).count() == 1


def test_to_decrement_is_to_leave_and_a_second_time_is_refused(room, bob):
    bobs = Asker(bob)
    assert bobs(LEAVE, id=room.pk).data["decrementPersonnel"]["personnel"] == 1
    assert bobs(LEAVE, id=room.pk).code == "not_member"
    assert Room.objects.get(pk=room.pk).personnel == 1


def test_an_outsider_takes_nobody_out(room, charlie):
    charlies = Asker(charlie)
    there, not_there = charlies(LEAVE, id=room.pk), charlies(LEAVE, id=room.pk + 999)
    assert there.body == not_there.body
    assert Room.objects.get(pk=room.pk).personnel == 2


def test_a_full_and_a_closed_room_say_so_in_the_readers_language(alice, bob, charlie):
    full = services.open_room(alice, title="Tea", capacity=1)
    closed = services.open_room(alice, title="Gone")
    services.close_room(closed.pk, alice)
    assert Asker(bob)(JOIN, id=full.pk).code == "room_full"
    answer = Asker(bob, accept_language="ko")(JOIN, id=closed.pk)
    assert answer.code == "room_closed"
    assert answer.body["errors"][0]["message"] != "This room is closed."


def test_two_at_once_for_the_last_seat_make_one_member(alice, bob, charlie):
    room = services.open_room(alice, title="Tea", capacity=2)
    codes = []

    def join(user):
        codes.append(Asker(user)(JOIN, id=room.pk).body.get("errors", "seated"))

    threads = [threading.Thread(target=join, args=[user]) for user in (bob, charlie)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes.count("seated") == 1
    assert Room.objects.get(pk=room.pk).personnel == 2
