"""Sending, reading and catching up over REST."""

from uuid import uuid4

import pytest
from rest_framework.request import Request

from interfaces.api import pagination
from messaging import services


def send(door, room, body="hello", cid=None):
    return door("POST", f"rooms/{room.pk}/events/", {"cid": str(cid or uuid4()), "body": body})


def test_a_message_is_created_once_repeated_after_and_never_another(as_bob, room):
    cid = uuid4()
    first, again = send(as_bob, room, cid=cid), send(as_bob, room, cid=cid)
    other = send(as_bob, room, "something else", cid)
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert again.json() == first.json() | {"repeated": True}
    assert other.json()["code"] == "conflict"
    events = as_bob("GET", f"rooms/{room.pk}/events/?after=2").json()["results"]
    assert [(event["body"], event["cid"]) for event in events] == [("hello", str(cid))]


def test_charlie_can_neither_speak_nor_read(as_charlie, as_bob, room):
    send(as_bob, room, "between us")
    answers = [send(as_charlie, room)] + [
        as_charlie("GET", f"rooms/{room.pk}/{name}/")
        for name in ("events", "missed", "members", "participants", "membership")
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (404, "not_member")
        assert "between us" not in answer.content.decode()


def test_the_log_comes_in_pages_both_ways(as_bob, room, alice, say):
    say(room, alice, *[str(number) for number in range(3, 13)])
    path = f"rooms/{room.pk}/events/"

    def seqs(page):
        return [event["seq"] for event in page["results"]]

    def follow(link):
        return as_bob("GET", link.split("/api/v1/")[1]).json()

    newest = as_bob("GET", f"{path}?limit=3").json()
    assert (seqs(newest), newest["next"], newest["head"]) == ([10, 11, 12], None, 12)
    older = follow(newest["previous"])
    assert seqs(older) == [7, 8, 9]
    assert seqs(follow(older["next"])) == [10, 11, 12]
    first = as_bob("GET", f"{path}?after=0&limit=4").json()
    assert (seqs(first), first["previous"]) == ([1, 2, 3, 4], None)
    assert seqs(follow(first["next"])) == [5, 6, 7, 8]
    assert seqs(as_bob("GET", f"{path}?before=4&limit=2").json()) == [2, 3]


@pytest.mark.parametrize("name", ["after", "before", "since"])
@pytest.mark.parametrize("digits", range(1, 19))
def test_a_link_holds_a_place_of_any_length(rf, name, digits):
    place = {name: "7" * digits}
    link = pagination.link(Request(rf.get("/")), place)
    assert pagination.asked(Request(rf.get(link))) == place


def test_links_lead_through_a_long_log_to_its_end(as_bob, room, alice, say):
    say(room, alice, *["hello"] * 118)
    link, seqs = f"/api/v1/rooms/{room.pk}/events/?after=0&limit=5", []
    while link:
        page = as_bob("GET", link.split("/api/v1/")[1]).json()
        seqs += [event["seq"] for event in page["results"]]
        link = page["next"]
    assert seqs == list(range(1, 121))


def test_what_was_missed_comes_in_pages_and_shrinks_by_reading(as_bob, room, alice, bob, say):
    say(room, bob, "mine")
    say(room, alice, *[f"missed {number}" for number in range(5)])
    path, bodies = f"rooms/{room.pk}/missed/?limit=2", []
    while path:
        page = as_bob("GET", path).json()
        bodies += [event["body"] for event in page["results"]]
        path = page["next"] and page["next"].split("/api/v1/")[1]
    assert bodies == [f"missed {number}" for number in range(5)]
    assert as_bob("PUT", f"rooms/{room.pk}/read/", {"seq": 7}).json()["read"] == 7
    assert as_bob("PUT", f"rooms/{room.pk}/read/", {"seq": 1}).json()["read"] == 7
    assert as_bob("PUT", f"rooms/{room.pk}/read/", {"seq": 10**18}).json()["read"] == 8
    assert as_bob("GET", f"rooms/{room.pk}/missed/").json()["results"] == []


def test_missed_may_be_asked_since_a_time(as_bob, room, alice, say):
    say(room, alice, "one")
    later = as_bob("GET", f"rooms/{room.pk}/missed/?since=2999-01-01T00:00:00%2B09:00").json()
    assert [event["body"] for event in later["results"]] == ["one"]  # not read: missed anyway
    assert later["since"] == "2998-12-31T15:00:00Z"


def test_unread_counts_of_all_my_rooms_are_one_query(
    as_bob, room, alice, bob, say, django_assert_num_queries
):
    for number in range(5):
        other = services.open_room(alice, title=f"Room {number}")
        services.join(other.pk, bob)
        say(other, alice, *["hello"] * number)
    say(room, alice, *["hello"] * 120)
    with django_assert_num_queries(2):  # who I am by my session, and all counts
        rooms = as_bob("GET", "unread/").json()["results"]
    assert sorted(one["unread"] for one in rooms) == [0, 1, 2, 3, 4, 100]
    mine = next(one for one in rooms if one["room"] == room.pk)
    assert (mine["title"], mine["role"], mine["read"], mine["head"]) == ("Tea", "member", 1, 122)


@pytest.mark.parametrize("way", ["events/?after=2&", "missed/?"])
@pytest.mark.parametrize("character", ["가", "😀", "<", '"', "\u2028", "a"])
def test_very_long_lines_come_in_pages_of_256_kib(as_bob, room, alice, say, way, character):
    bodies = [f"{n:03}{character * 3_900}" for n in range(100)]
    say(room, alice, *bodies)
    address, told = f"rooms/{room.pk}/{way}limit=100", []
    while address:
        answer = as_bob("GET", address)
        assert len(answer.content) <= 320 * 1024
        told += [event["body"] for event in answer.json()["results"]]
        address = (answer.json()["next"] or "").partition("/api/v1/")[2]
    assert told == bodies


def test_a_page_of_the_log_costs_three_queries_whatever_was_said(
    as_bob, room, alice, say, django_assert_num_queries
):
    say(room, alice, *["hello"] * 100)
    with django_assert_num_queries(3):  # who I am, my place in the room, the page
        as_bob("GET", f"rooms/{room.pk}/events/?limit=100")


def test_a_send_asks_only_who_i_am_beside_the_writer(as_bob, room, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert send(as_bob, room).status_code == 201


@pytest.mark.parametrize("field", ["seq", "sender", "from", "kind", "created_at", "room"])
def test_nobody_says_for_the_server_what_it_says_itself(as_bob, room, field):
    draft = {"cid": str(uuid4()), "body": "hello", field: 99}
    receipt = as_bob("POST", f"rooms/{room.pk}/events/", draft).json()
    assert (receipt["seq"], receipt["room"]) == (3, room.pk)
    event = as_bob("GET", f"rooms/{room.pk}/events/?after=2").json()["results"][0]
    assert (event["from"]["name"], event["kind"]) == ("Bob", "message")


def test_nobody_is_here_while_no_socket_is(as_bob, room):
    answer = as_bob("GET", f"rooms/{room.pk}/participants/").json()
    assert answer == {"room": room.pk, "count": 0, "here": [], "degraded": answer["degraded"]}


def test_a_burst_is_told_when_to_try_again(as_bob, room, monkeypatch):
    monkeypatch.setattr("messaging.live.message_limits.Limits.wait", lambda *_ignored: 2.2)
    answer = send(as_bob, room)
    assert (answer.status_code, answer["Retry-After"]) == (429, "3")
    assert answer.json()["code"] == "rate_limited"
