"""Rooms and seats over REST."""

import pytest

from messaging import services
from rooms.models import Room


def test_a_new_room_seats_its_owner_and_ignores_what_is_not_theirs_to_say(as_charlie, bob):
    asked = {
        "title": "Tea", "capacity": 5, "personnel": 99, "owner": bob.pk, "id": 1, "last_seq": 7,
        "created_at": "2001-01-01T00:00:00Z", "closed_at": "2001-01-01T00:00:00Z",
    }  # fmt: skip
    answer = as_charlie("POST", "rooms/", asked)
    room = answer.json()
    assert answer.status_code == 201 and answer["Location"] == f"/api/v1/rooms/{room['id']}/"
    assert room["owner"] == {"id": as_charlie.user.pk, "name": "Charlie"}
    assert (room["personnel"], room["capacity"], room["closed_at"]) == (1, 5, None)
    assert not room["created_at"].startswith("2001") and room["id"] != 1


def test_a_change_can_not_move_what_is_not_to_be_changed(as_alice, room, bob):
    asked = {"personnel": 0, "owner": bob.pk, "last_seq": 0, "closed_at": "2001-01-01T00:00:00Z"}
    before = as_alice("GET", f"rooms/{room.pk}/").json()
    assert as_alice("PATCH", f"rooms/{room.pk}/", asked).json() == before


def test_the_card_holds_until_it_changes(as_charlie, as_bob, room):
    path = f"rooms/{room.pk}/"
    tag = as_charlie("GET", path)["ETag"]
    unchanged = as_charlie("GET", path, **{"If-None-Match": f'"other", W/{tag}'})
    assert (unchanged.status_code, unchanged.content, unchanged["ETag"]) == (304, b"", tag)
    as_bob("DELETE", f"{path}membership/")
    assert as_charlie("GET", path, **{"If-None-Match": tag}).status_code == 200


def test_an_edit_of_a_card_that_is_another_by_now_is_refused(as_alice, room):
    path = f"rooms/{room.pk}/"
    old = as_alice("GET", path)["ETag"]
    first = as_alice("PATCH", path, {"title": "Coffee"}, **{"If-Match": old})
    second = as_alice("PATCH", path, {"title": "Cocoa"}, **{"If-Match": old})
    assert (first.status_code, second.status_code) == (200, 412)
    assert second.json()["code"] == "changed_meanwhile"
    third = as_alice("PATCH", path, {"title": "Cocoa"}, **{"If-Match": first["ETag"]})
    assert third.json()["title"] == "Cocoa"


def test_a_room_never_has_fewer_seats_than_members(as_alice, room):
    errors = as_alice("PATCH", f"rooms/{room.pk}/", {"capacity": 1}).json()["errors"]
    assert [(one["pointer"], one["code"]) for one in errors] == [
        ("/capacity", "capacity_below_members")
    ]


def test_rooms_come_in_pages_that_skip_and_repeat_nothing(as_bob, room, bob):
    made = [services.open_room(bob, title=f"Room {number}").pk for number in range(5)]
    path, seen = "rooms/?limit=2", []
    while path:
        page = as_bob("GET", path).json()
        seen += [one["id"] for one in page["results"]]
        services.open_room(bob, title="Meanwhile")
        path = page["next"] and page["next"].split("/api/v1/")[1]
    assert seen == [*reversed(made), room.pk]
    back = as_bob("GET", page["previous"].split("/api/v1/")[1]).json()
    assert [one["id"] for one in back["results"]] == seen[2:4]


def test_rooms_are_found_by_title_by_state_and_as_mine(as_charlie, as_bob, room, alice):
    closed = services.open_room(alice, title="Teapots")
    services.close_room(closed.pk, alice)

    def found(door, query):
        return [one["id"] for one in door("GET", f"rooms/?{query}").json()["results"]]

    assert found(as_bob, "q=TEA") == [room.pk]
    assert found(as_bob, "q=tea&state=all") == [closed.pk, room.pk]
    assert found(as_bob, "q=tea&state=closed") == [closed.pk]
    assert found(as_bob, "mine=true") == [room.pk]
    assert found(as_charlie, "mine=true") == [] and found(as_charlie, "q=milk") == []


def test_joining_leaving_and_being_shown_out(as_alice, as_charlie, room):
    place = f"rooms/{room.pk}/membership/"
    assert [as_charlie("PUT", place).status_code for _ in range(2)] == [201, 200]
    assert as_charlie("GET", place).json() == {
        "room": room.pk, "role": "member", "read": 2, "head": 3
    }  # fmt: skip
    assert [as_charlie("DELETE", place).status_code for _ in range(2)] == [204, 404]
    as_charlie("PUT", place)
    seat = f"rooms/{room.pk}/members/{as_charlie.user.pk}/"
    assert [as_alice("DELETE", seat).status_code for _ in range(2)] == [204, 404]
    assert Room.objects.get(pk=room.pk).personnel == 2


def test_members_are_shown_without_what_only_they_may_know(as_bob, room, alice, bob):
    alice.phone = "+82 2 123 4567"
    alice.save()
    answer = as_bob("GET", f"rooms/{room.pk}/members/")
    people = answer.json()["results"]
    assert [(one["id"], one["role"], one["online"]) for one in people] == [
        (alice.pk, "owner", False), (bob.pk, "member", False)
    ]  # fmt: skip
    for path in ("members/", "", "events/", "participants/"):
        text = as_bob("GET", f"rooms/{room.pk}/{path}").content.decode()
        assert "@example.com" not in text and "123 4567" not in text


def test_a_room_goes_to_another_member_and_to_nobody_else(as_alice, room, bob, charlie):
    path = f"rooms/{room.pk}/transfer/"
    refused = as_alice("POST", path, {"user": charlie.pk})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_member")
    assert as_alice("POST", path, {"user": bob.pk}).json()["owner"]["id"] == bob.pk
    assert as_alice("POST", path, {"user": bob.pk}).status_code == 403


@pytest.mark.parametrize("path", ["close", "reopen"])
def test_closing_and_opening_twice_is_as_once(as_alice, room, path):
    first, second = (as_alice("POST", f"rooms/{room.pk}/{path}/").json() for _ in range(2))
    assert first == second and bool(first["closed_at"]) == (path == "close")
