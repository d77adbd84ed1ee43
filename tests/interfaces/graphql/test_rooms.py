"""Today's part: rooms, seats, members and logs, in pages."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from graphql_relay import to_global_id

from core.breaker import Breaker
from interfaces.graphql import pagination
from messaging import services
from presence import last_seen
from presence.marks import Mark
from tests.conftest import person as account
from tests.interfaces.graphql.conftest import Asker
from tests.messaging.conftest import person

EVERYTHING = """query ($first: Int) {
  myRooms(first: $first) { edges { node {
    title owner { name }
    seat { role unread }
    lastEvent { kind sender { name } }
    members(first: 5) { edges { node { role online exitAt person { name } } } }
    events(last: 3) { edges { node { seq body } } pageInfo { hasPreviousPage } }
  } } }
}"""
PAGES = """query ($first: Int, $after: String, $last: Int, $before: String) {
  rooms(first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { title } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""
EVENTS = """query ($room: ID!, $first: Int, $after: String, $last: Int, $before: String) {
  room(number: $room) {
    events(first: $first, after: $after, last: $last, before: $before) {
      edges { cursor node { seq kind body sender { id name } } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}"""
INSIDE = """query ($room: ID!) { room(number: $room) {
  title seat { role } members { edges { node { joinedAt } } }
  events { edges { node { body } } } lastEvent { body }
} }"""


def titles(page):
    return [edge["node"]["title"] for edge in page["edges"]]


def test_a_member_sees_who_is_in_the_room_and_who_is_here(room, alice, bob):
    last_seen.write([Mark(room.pk, bob.pk, version=1, online=True, process="one")])
    services.post(room.pk, person(alice), "hello")
    (edge,) = Asker(bob)(EVERYTHING).data["myRooms"]["edges"]
    found = edge["node"]
    assert found["owner"] == {"name": "Alice"}
    assert found["seat"] == {"role": "member", "unread": 1}
    assert found["lastEvent"] == {"kind": "message", "sender": {"name": "Alice"}}
    members = [
        (one["node"]["person"]["name"], one["node"]["role"], one["node"]["online"])
        for one in found["members"]["edges"]
    ]
    assert members == [("Alice", "owner", None), ("Bob", "member", True)]
    assert found["events"]["edges"][-1]["node"] == {"seq": 3, "body": "hello"}


def test_as_many_queries_for_ten_rooms_as_for_one(alice, bob, monkeypatch):
    rooms = [services.open_room(alice, title=f"Room {n}") for n in range(10)]
    for each in rooms:
        services.join(each.pk, bob)
        services.post(each.pk, person(alice), "hello")
    bobs = Asker(bob)

    looks = []
    monkeypatch.setattr(last_seen, "_found", lambda **asked: looks.append(asked) or [])

    def queries(first):
        looks.clear()
        with CaptureQueriesContext(connection) as captured:
            found = bobs(EVERYTHING, first=first).data["myRooms"]["edges"]
        assert len(found) == first
        assert all(len(one["node"]["members"]["edges"]) == 2 for one in found)
        return len(captured), len(looks)

    bobs(EVERYTHING, first=1)  # the session is in the cache from here on
    assert queries(1) == queries(10) == (7, 1)


def test_an_outsider_sees_the_card_and_nothing_within(room, alice, charlie):
    services.post(room.pk, person(alice), "between us")
    answer = Asker(charlie)(INSIDE, room=room.pk)
    assert answer.body["data"]["room"] == {
        "title": "Tea", "seat": None, "members": None, "events": None, "lastEvent": None,
    }  # fmt: skip
    assert answer.codes == ["not_member"] * 3


def test_the_ways_in_are_as_guarded_as_the_front(room, alice, charlie):
    services.post(room.pk, person(alice), "between us")
    charlies, query = Asker(charlie), "query ($id: ID!) { node(id: $id) { id } }"
    event, nothing = f"{room.pk}.3", f"{room.pk + 999}.3"
    assert Asker(alice)(query, id=to_global_id("Event", event)).data["node"] is not None
    assert charlies(query, id=to_global_id("Event", event)).data == {"node": None}
    assert charlies(query, id=to_global_id("Event", nothing)).data == {"node": None}
    through_list = "{ rooms { edges { node { events { edges { node { body } } } } } } }"
    assert charlies(through_list).code == "not_member"


def test_a_node_is_found_by_the_id_it_was_shown_with(room, bob):
    bobs = Asker(bob)
    shown = bobs("{ myRooms { edges { node { id number lastEvent { id seq } } } } }").data
    node = shown["myRooms"]["edges"][0]["node"]
    query = "query ($id: ID!) { node(id: $id) { id ... on Room { number } ... on Event { seq } } }"
    found = bobs(query, id=node["id"]).data["node"]
    assert found == {"id": node["id"], "number": str(room.pk)}
    assert bobs(query, id=node["lastEvent"]["id"]).data["node"] == node["lastEvent"]


NO_IDS = [
    "",
    "x",
    "é",
    "Um9vbTo=",
    "Um9vbTpub25l",
    "VXNlcjox",
    "\0",
    to_global_id("Room", "9" * 20),
]


@pytest.mark.parametrize("id", NO_IDS)
def test_an_id_that_is_none_is_refused(bob, id):
    answer = Asker(bob)("query ($id: ID!) { node(id: $id) { id } }", id=id)
    assert (answer.status, answer.code) == (200, "bad_id")


def test_rooms_come_the_liveliest_first_in_pages_there_and_back(alice, bob):
    for n in range(5):
        services.open_room(alice, title=f"Room {n}")
    bobs = Asker(bob)
    first = bobs(PAGES, first=2).data["rooms"]
    assert titles(first) == ["Room 4", "Room 3"]
    assert first["pageInfo"]["hasNextPage"] and not first["pageInfo"]["hasPreviousPage"]
    second = bobs(PAGES, first=9, after=first["pageInfo"]["endCursor"]).data["rooms"]
    assert titles(second) == ["Room 2", "Room 1", "Room 0"]
    assert not second["pageInfo"]["hasNextPage"]
    back = bobs(PAGES, last=2, before=second["pageInfo"]["endCursor"]).data["rooms"]
    assert titles(back) == ["Room 2", "Room 1"]
    assert back["pageInfo"]["hasPreviousPage"]


def test_rooms_are_found_by_words_in_their_title(room, charlie):
    query = "query ($q: String) { rooms(search: $q) { edges { node { title } } } }"
    charlies = Asker(charlie)
    assert titles(charlies(query, q=" te ").data["rooms"]) == ["Tea"]
    assert titles(charlies(query, q="te\0a%").data["rooms"]) == []
    services.close_room(room.pk, room.owner)
    assert titles(charlies(query, q=None).data["rooms"]) == []


def test_a_log_is_read_in_pages_whose_cursors_are_places_in_it(room, alice, bob):
    for n in range(4):
        services.post(room.pk, person(alice), f"line {n}")  # the 3rd to the 6th
    bobs = Asker(bob)

    def seqs(**asked):
        found = bobs(EVENTS, room=room.pk, **asked).data["room"]["events"]
        return [edge["node"]["seq"] for edge in found["edges"]], found["pageInfo"]

    newest, info = seqs(last=2)
    assert newest == [5, 6] and info["hasPreviousPage"] and not info["hasNextPage"]
    older, info = seqs(last=3, before=info["startCursor"])
    assert older == [2, 3, 4] and info["hasNextPage"]
    newer, _info = seqs(first=10, after=info["endCursor"])
    assert newer == [5, 6]


def test_members_come_in_pages(room, bob, charlie):
    services.join(room.pk, charlie)
    query = """query ($room: ID!, $after: String) { room(number: $room) {
      members(first: 2, after: $after) {
        edges { node { person { name } } } pageInfo { endCursor hasNextPage } } } }"""
    bobs = Asker(bob)

    def page(after):
        found = bobs(query, room=room.pk, after=after).data["room"]["members"]
        return [one["node"]["person"]["name"] for one in found["edges"]], found["pageInfo"]

    names, info = page(None)
    assert names == ["Alice", "Bob"] and info["hasNextPage"]
    names, info = page(info["endCursor"])
    assert names == ["Charlie"] and not info["hasNextPage"]


@pytest.mark.parametrize("after", ["", "x", "é", "MSwyLDM=", "LTE=", "MWUz", "\0", "A" * 5000])
def test_a_cursor_that_is_none_of_ours_is_refused(room, bob, after):
    assert Asker(bob)(EVENTS, room=room.pk, after=after).code == "bad_cursor"


@pytest.mark.parametrize("place", [(0, 0), (2**63 - 1, 2**63 - 1)])
def test_a_place_at_the_end_of_time_is_a_place(room, bob, place):
    bobs, cursor = Asker(bob), pagination.cursor
    before = bobs(PAGES, first=1, before=cursor(place)).data["rooms"]["edges"]
    after = bobs(PAGES, first=1, after=cursor(place)).data["rooms"]["edges"]
    assert (len(before), len(after)) == ((1, 0) if place == (0, 0) else (0, 1))
    seqs = bobs(EVENTS, room=room.pk, last=1, before=cursor(place[:1])).data["room"]["events"]
    assert len(seqs["edges"]) == (0 if place == (0, 0) else 1)


def test_the_first_and_the_last_are_not_asked_for_together(room, bob):
    assert Asker(bob)(EVENTS, room=room.pk, first=1, last=1).code == "bad_page"


def test_what_i_have_not_read_is_summed_up_over_my_rooms(room, alice, bob):
    other = services.open_room(alice, title="Coffee")
    services.join(other.pk, bob)
    for each in (room, other, other):
        services.post(each.pk, person(alice), "hello")
    found = Asker(bob)("{ me { name email unread } }").data["me"]
    assert found == {"name": "Bob", "email": "bob@example.com", "unread": 3}


def test_nobodys_email_is_shown_beside_ones_own(room, alice, bob):
    account("dana")
    services.post(room.pk, person(alice), "hello")
    assert "@" not in str(Asker(bob)(EVERYTHING).data)


def test_while_presence_does_not_answer_it_is_not_known_and_the_rest_is(room, bob, monkeypatch):
    last_seen.write([Mark(room.pk, bob.pk, version=1, online=True, process="one")])
    monkeypatch.setattr(last_seen, "_pages", down := Breaker())
    down.failed("as if")
    (edge,) = Asker(bob)(EVERYTHING).data["myRooms"]["edges"]
    assert [one["node"]["online"] for one in edge["node"]["members"]["edges"]] == [None, None]
