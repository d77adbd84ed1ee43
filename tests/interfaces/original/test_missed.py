"""What was said while someone was away, as the original's page asks for it: GET and PUT read."""

import pytest

from interfaces.original import missed
from messaging import log, services
from messaging.models import Event
from tests.interfaces.stomp.client import called


@pytest.fixture
def room_id(alice, bob):
    room_id = alice.opens().json()["chatId"]
    services.join(int(room_id), alice.person)
    return room_id


def test_the_first_visit_has_missed_nothing(alice, bob, room_id):
    alice.says(room_id, "before bob came")
    assert bob.get(f"open-chats/read/{room_id}").json() == []
    services.join(int(room_id), bob.person)
    assert bob.missed(room_id) == []


def test_what_was_said_while_i_was_away_comes_oldest_first(alice, bob, room_id):
    services.join(int(room_id), bob.person)
    bob.put(f"open-chats/read/{room_id}")
    for text in ("one", "two", "three"):
        alice.says(room_id, text)
    lines = bob.get(f"open-chats/read/{room_id}").json()
    assert [line["message"] for line in lines] == ["one", "two", "three"]
    assert {line["username"] for line in lines} == {called(alice.person)}
    assert {line["chatId"] for line in lines} == {room_id}
    assert [line["createdAt"] for line in lines] == sorted(line["createdAt"] for line in lines)
    assert all(line["createdAt"].endswith("Z") and len(line["createdAt"]) == 27 for line in lines)


def test_asking_again_is_answered_again_until_i_go_away(alice, bob, room_id):
    services.join(int(room_id), bob.person)
    alice.says(room_id, "one")
    assert bob.missed(room_id) == bob.missed(room_id) == ["one"]
    for _ in range(2):
        assert bob.put(f"open-chats/read/{room_id}").status_code == 200
    assert bob.missed(room_id) == []


def test_who_comes_and_goes_is_among_what_was_missed(alice, bob, charlie, room_id):
    services.join(int(room_id), bob.person)
    bob.put(f"open-chats/read/{room_id}")
    services.join(int(room_id), charlie.person)
    services.leave(int(room_id), charlie.person)
    lines = bob.get(f"open-chats/read/{room_id}").json()
    assert [line["type"] for line in lines] == ["ENTER", "LEAVE"]
    assert all("charlie" in line["message"] for line in lines)


def test_of_very_much_the_newest_are_shown(alice, bob, room_id, monkeypatch):
    monkeypatch.setattr(missed, "UNREAD_MAX", 3)
    services.join(int(room_id), bob.person)
    bob.put(f"open-chats/read/{room_id}")
    for number in range(5):
        alice.says(room_id, str(number))
    assert bob.missed(room_id) == ["2", "3", "4"]


@pytest.mark.parametrize("character", ["가", "😀", "<", '"', "\u2028", "a"])
def test_much_text_is_answered_in_pages_of_256_kib(alice, bob, room_id, character):
    services.join(int(room_id), bob.person)
    bob.put(f"open-chats/read/{room_id}")
    bodies = [f"{n:03}{character * 3_900}{n:03}" for n in range(100)]
    log.append(int(room_id), "message", [alice.person.pk] * 100, "x")
    for event, body in zip(Event.objects.filter(body="x").order_by("seq"), bodies, strict=True):
        Event.objects.filter(pk=event.pk).update(body=body)
    answer = bob.get(f"open-chats/read/{room_id}")
    assert len(answer.content) <= 320 * 1024
    told = [line["message"] for line in answer.json()]
    while "Link" in answer:
        address, rel = answer["Link"].split("; ")
        assert rel == 'rel="prev"'
        answer = bob.get(address.strip("<>").partition("/api/")[2])
        assert len(answer.content) <= 320 * 1024
        told = [line["message"] for line in answer.json()] + told
    assert told == bodies


@pytest.mark.parametrize("before", ["0", "x", "9" * 19, "9" * 5000])
def test_an_older_page_before_what_is_no_line_is_refused(bob, room_id, before):
    answer = bob.get(f"open-chats/read/{room_id}?before={before}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_charlie_reads_nothing(alice, charlie, room_id):
    alice.says(room_id, "for members")
    assert charlie.get(f"open-chats/read/{room_id}").json() == []
    assert charlie.get(f"open-chats/read/{room_id}?before=9").json() == []
    assert charlie.put(f"open-chats/read/{room_id}").status_code == 404


def test_who_has_left_reads_nothing(alice, bob, room_id):
    services.join(int(room_id), bob.person)
    services.leave(int(room_id), bob.person)
    alice.says(room_id, "about bob")
    assert bob.missed(room_id) == []


@pytest.mark.parametrize(
    "chat_id", ["", "0", "999999", "x", "-1", "9" * 40, "²", "%00", "undefined"]
)
def test_a_room_that_is_none_is_404(bob, chat_id):
    for ask in (bob.get, bob.put):
        answer = ask(f"open-chats/read/{chat_id}")
        assert answer.status_code == 404
        assert answer["Content-Type"] == "application/problem+json"
