"""Bodies: what is told of very large rooms, and of each kind of line, encoded once for all."""

import json
from datetime import UTC, datetime

import pytest
from asgiref.sync import sync_to_async
from django.utils import translation

from accounts.models import User
from interfaces.stomp import bodies, replies
from interfaces.stomp.bodies import People
from messaging import services
from messaging.live.entries import line
from messaging.log.event import PAGE_BYTES, Event
from messaging.log.event import Person as Sender
from messaging.log.kinds import KINDS, sentence
from tests.interfaces.stomp.client import called, stomp
from tests.messaging.conftest import person


def test_of_a_room_of_ten_thousand_those_are_told_who_are_here_and_as_many_as_there_is_room_for():
    crowd = [(number, "😀" * 40, number % 100 == 0) for number in range(1, 10_001)]
    people = People(crowd)
    body = people.told(User(pk=5_000, email="me@example.com"))
    assert len(body.encode()) <= PAGE_BYTES
    told = json.loads(body)
    assert [one["isRead"] for one in told[:100]] == [True] * 100
    assert len(told) > 500 and not any(one["isRead"] for one in told[100:])
    assert "me@example.com" in {one["email"] for one in told}  # who asks is here


def test_of_others_all_are_told_in_their_order():
    people = People([(number, "Bob", number == 3) for number in range(1, 1_001)])
    told = json.loads(people.told(User(pk=0, email="nobody@example.com")))
    assert len(told) == 1_000 and [one["isRead"] for one in told].index(True) == 2


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_line_has_a_body_in_the_reader_s_language(kind, language):
    at = datetime(2026, 11, 23, 14, 3, 7, 123456, UTC)
    entry = line(Event(7, 42, kind, at, Sender(3, "Bob"), body="hello"))
    told = json.loads(bodies.line_body(entry, User(pk=4), language))
    with translation.override(language):
        said = sentence(kind, "Bob")
    assert told["message"] == (said or "hello")
    assert told["username"] == ("Bob#3" if kind in bodies.TYPES else "ChatTalk")
    assert (told["chatId"], told["createdAt"]) == ("7", "2026-11-23T14:03:07.123456Z")


async def test_a_line_is_encoded_once_for_all_who_are_told_the_same(room, alice, bob, monkeypatch):
    encode, encoded = bodies.line, []

    def counting(event, username):
        encoded.append((event.body, username))
        return encode(event, username)

    async with stomp(alice) as one, stomp(alice) as two, stomp(bob) as three, stomp(bob) as four:
        clients = (one, two, three, four)
        for client in clients:
            await client.subscribe(f"/sub/chat/{room.pk}")
        monkeypatch.setattr(bodies, "line", counting)
        for text in ("hello", "again"):
            await sync_to_async(services.post)(room.pk, person(bob), text)
            for client in clients:
                assert (await client.said())["message"] == text
    names = (bob.email, called(bob))
    assert sorted(encoded) == sorted((text, name) for text in ("again", "hello") for name in names)


def test_who_hears_a_line_in_the_same_words_is_sent_what_was_encoded_once(monkeypatch):
    encoded, encode = [], replies.encode
    monkeypatch.setattr(replies, "encode", lambda *what: encoded.append(what) or encode(*what))
    sent = []
    crowd = [replies.Replies(sent.append, lambda code, why: None) for _ in range(3)]
    crowd[2].version = "1.1"
    for one in crowd:
        one.message("sub:0", "/sub/chat/7", {"message-id": "7-1"}, '"once"')
    crowd[0].message("sub-1", "/sub/chat/7", {"message-id": "7-1"}, '"once"')
    assert len(encoded) == 3 and sent[0] is sent[1]
    assert "subscription:sub\\c0\n" in sent[0] and "subscription:sub-1\n" in sent[3]
