"""A room's page as the server renders it, and what it asks for afterwards."""

import json
import re

import pytest
from django.urls import reverse

from interfaces.web import room_page
from messaging import log, services
from rooms.models import Room


@pytest.fixture
def room(transactional_db, alice, bob):
    room = services.open_room(alice, title="Tea", capacity=10)
    services.join(room.pk, bob)
    return room


@pytest.fixture
def enter(client):
    """The conversation page of someone."""

    def enter(user, room):
        client.force_login(user)
        return client.get(reverse("messaging:room", args=[room.pk]))

    return enter


def say(room, user, *bodies):
    from django.db import transaction

    with transaction.atomic():
        for body in bodies:
            log.append(room.pk, "message", [user.pk], body)


def start(response):
    found = re.search(r'<script id="start" type="application/json">(.*?)</script>', response.text)
    return json.loads(found[1])


def bodies(events):
    return [event["body"] for event in events if event["kind"] == "message"]


def test_a_member_finds_the_newest_lines_with_the_page(enter, room, alice, bob):
    say(room, bob, "one", "two")
    shown = start(enter(bob, room))
    assert bodies(shown["events"]) == ["one", "two"]
    assert shown["me"] == {"id": bob.pk, "name": "Bob"}
    assert shown["head"] == 4
    assert not shown["older"] and not shown["newer"]


def test_what_was_missed_begins_the_page_with_some_lines_before_it(enter, room, alice, bob):
    say(room, bob, *[f"mine {number}" for number in range(20)])
    say(room, alice, *[f"missed {number}" for number in range(120)])
    shown = start(enter(bob, room))
    assert shown["missed"]["first_seq"] == 23
    assert (shown["missed"]["count"], shown["missed"]["more"]) == (100, True)
    assert bodies(shown["events"])[:9] == [f"mine {number}" for number in range(12, 20)] + [
        "missed 0"
    ]
    assert shown["older"] and shown["newer"]


def test_what_people_typed_can_not_leave_the_data_block(enter, room, alice, bob):
    say(room, alice, "</script><script>alert(1)</script>")
    response = enter(bob, room)
    assert "<script>alert" not in response.text
    assert bodies(start(response)["events"]) == ["</script><script>alert(1)</script>"]


def test_charlie_finds_the_entrance_and_nothing_that_was_said(enter, room, alice, charlie):
    say(room, alice, "between us")
    page = enter(charlie, room).text
    assert "Join the room" in page
    assert "between us" not in page


@pytest.mark.parametrize("name", ["history", "missed", "members"])
def test_for_charlie_the_rest_of_the_room_does_not_exist(client, room, charlie, name):
    client.force_login(charlie)
    assert client.get(reverse(f"messaging:{name}", args=[room.pk])).status_code == 404


@pytest.mark.parametrize("name", ["room", "history", "missed", "members"])
def test_a_stranger_is_asked_to_sign_in(client, room, name):
    response = client.get(reverse(f"messaging:{name}", args=[room.pk]))
    assert response.status_code == 302
    assert response.url.startswith(reverse("accounts:sign_in"))


@pytest.mark.parametrize("method, name", [("get", "room"), ("post", "join"), ("post", "leave")])
def test_a_room_that_does_not_exist_is_not_found(client, alice, method, name):
    client.force_login(alice)
    address = reverse(f"messaging:{name}", args=[10**12])
    assert getattr(client, method)(address).status_code == 404


@pytest.mark.parametrize("name", ["room", "join", "history"])
def test_a_number_beyond_all_rooms_is_not_found(client, alice, name):
    client.force_login(alice)
    address = reverse(f"messaging:{name}", args=[7]).replace("7", f"{10**30}")
    method = client.post if name == "join" else client.get
    assert method(address).status_code == 404


def test_joining_leads_into_the_room(client, room, charlie):
    client.force_login(charlie)
    response = client.post(reverse("messaging:join", args=[room.pk]))
    assert response.url == reverse("messaging:room", args=[room.pk])
    assert room.memberships.filter(user=charlie).exists()


def test_a_full_room_is_said_to_be_full(client, room, charlie):
    Room.objects.filter(pk=room.pk).update(capacity=2)
    client.force_login(charlie)
    response = client.post(reverse("messaging:join", args=[room.pk]))
    assert response.status_code == 409
    assert "This room is full" in response.text
    assert not room.memberships.filter(user=charlie).exists()


def test_a_closed_room_is_said_to_be_closed(client, enter, room, alice, charlie):
    services.close_room(room.pk, alice)
    client.force_login(charlie)
    response = client.post(reverse("messaging:join", args=[room.pk]))
    assert response.status_code == 409
    assert "This room is closed" in response.text
    assert "Join the room" not in enter(charlie, room).text


def test_leaving_leads_to_the_lobby(client, room, bob):
    client.force_login(bob)
    response = client.post(reverse("messaging:leave", args=[room.pk]))
    assert response.url == reverse("lobby")
    assert not room.memberships.filter(user=bob).exists()


def test_an_owner_who_left_finds_the_entrance_and_still_the_form(client, enter, room, alice):
    client.force_login(alice)
    client.post(reverse("messaging:leave", args=[room.pk]))
    entrance = enter(alice, room).text
    assert "Join the room" in entrance and reverse("rooms:edit", args=[room.pk]) in entrance


def test_joining_and_leaving_are_no_links(client, room, bob):
    client.force_login(bob)
    assert client.get(reverse("messaging:leave", args=[room.pk])).status_code == 405
    assert client.get(reverse("messaging:join", args=[room.pk])).status_code == 405


def test_history_comes_in_pages_both_ways(client, room, alice, bob):
    say(room, alice, *[str(number) for number in range(3, 13)])
    client.force_login(bob)
    address = reverse("messaging:history", args=[room.pk])

    def page(**asked):
        answer = client.get(address, asked).json()
        return [event["seq"] for event in answer["events"]], answer["more"]

    assert page(limit=3) == ([10, 11, 12], True)
    assert page(before=10, limit=4) == ([6, 7, 8, 9], True)
    assert page(before=4, limit=4) == ([1, 2, 3], False)
    assert page(before=1) == ([], False)
    assert page(after=0, limit=4) == ([1, 2, 3, 4], True)
    assert page(after=10) == ([11, 12], False)
    assert page(after=12) == ([], False)


def test_a_page_ends_early_where_much_was_said_at_once(client, room, alice, bob, monkeypatch):
    monkeypatch.setattr("messaging.services.history.HISTORY_BYTES", 1_200)
    # 300, 800, 100 and 0 bytes of text, and some 130 around each; from seq 3 on
    say(room, alice, "한" * 100, "1" * 800, "x" * 100, "")
    client.force_login(bob)
    address = reverse("messaging:history", args=[room.pk])

    def page(**asked):
        answer = client.get(address, asked).json()
        return [event["seq"] for event in answer["events"]], answer["more"]

    assert page(after=2) == ([3, 4], True)
    assert page(after=3, limit=2) == ([4, 5], True)
    assert page(after=3) == ([4, 5, 6], False)
    assert page() == ([4, 5, 6], True)
    assert page(before=5) == ([3, 4], True)
    monkeypatch.setattr("messaging.services.history.HISTORY_BYTES", 1)
    assert page(after=3) == ([4], True)
    assert page(before=7, limit=2) == ([6], True)


@pytest.mark.parametrize("character", ["가", "😀", "<", '"', "\u2028", "a"])
def test_a_page_of_the_log_has_256_kib_and_a_line_at_most(client, room, alice, bob, character):
    say(room, alice, *[character * 4_000] * 100)
    client.force_login(bob)
    for address in ("room", "history"):
        answer = client.get(reverse(f"messaging:{address}", args=[room.pk]), {"limit": 100})
        assert len(answer.content) <= 320 * 1024
        assert len(answer.content) > 40 * 1024  # and is not empty for that
    missed = client.get(reverse("messaging:missed", args=[room.pk])).json()
    assert (missed["count"], missed["more"], missed["first_seq"]) == (100, False, 3)


@pytest.mark.parametrize(
    "asked",
    [
        "before=x", "before=-1", "after=1.5", "limit=0", "limit=101", "limit=", "before=1&after=2",
        "before=99999999999999999999", "after=%00", "after=٣", "limit=1e2",
    ],
)  # fmt: skip
def test_a_senseless_span_is_refused_with_a_sentence(client, room, bob, asked):
    client.force_login(bob)
    response = client.get(reverse("messaging:history", args=[room.pk]) + f"?{asked}")
    assert response.status_code == 400
    assert response.json()["code"] == "bad_request"
    assert response.json()["detail"]


def test_missed_counts_what_others_said(client, room, alice, bob):
    say(room, bob, "mine")
    say(room, alice, "one", "two")
    client.force_login(bob)
    missed = client.get(reverse("messaging:missed", args=[room.pk])).json()
    assert (missed["count"], missed["more"], missed["first_seq"]) == (2, False, 4)


def test_the_people_of_a_room_come_in_pages_the_owner_first(client, room, alice, bob, monkeypatch):
    monkeypatch.setattr(room_page, "MEMBERS_PAGE", 1)
    client.force_login(bob)
    address = reverse("messaging:members", args=[room.pk])
    first, second = client.get(address).text, client.get(address, {"page": "2"}).text
    assert "Alice" in first and "owner" in first and 'data-page="2"' in first
    assert "Bob" in second and "data-page" not in second
    assert client.get(address, {"page": "nonsense"}).text == first


def test_the_page_costs_the_same_however_much_was_said(
    client, enter, room, alice, bob, django_assert_num_queries
):
    say(room, alice, *[f"line {number}" for number in range(200)])
    for number in range(10):
        services.open_room(bob, title=f"Room {number}")
    enter(bob, room)
    # Who I am, the room, my place in it, what I missed, a page of the log, my rooms, their unread.
    with django_assert_num_queries(7):
        client.get(reverse("messaging:room", args=[room.pk]))


def test_a_page_of_people_costs_the_same_however_many_there_are(
    client, room, bob, django_assert_num_queries
):
    client.force_login(bob)
    # Who I am, my place in the room, how many, a page of them.
    with django_assert_num_queries(4):
        client.get(reverse("messaging:members", args=[room.pk]))
