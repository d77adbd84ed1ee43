"""How much one person may say in all rooms together: at every door the same, over all processes."""

import asyncio
import json
import urllib.error
import urllib.request
from uuid import uuid4

import pytest

from core.rate_limits import in_process
from messaging.live import message_limits
from tests.raw_socket import say
from tests.stack import Stack, lent, open_room

BURST = 16
LONG = "x" * (4 * message_limits.UNIT_BYTES - 200)  # counts as four


@pytest.fixture
def few(settings):
    settings.PERSON_MESSAGE_RATE, settings.PERSON_MESSAGE_BURST = 0.01, BURST
    settings.MESSAGE_RATE, settings.MESSAGE_BURST = 0.01, 10


@pytest.fixture
def told():
    return []


@pytest.fixture
def here(few, told):
    return message_limits.Limits(told.append)


def test_rooms_that_are_new_are_no_new_beginning(here):
    waits = [here.wait(room, 1, "hello") for room in range(BURST + 1)]
    assert waits[:BURST] == [0] * BURST and waits[BURST] > 0
    assert here.wait(1, 2, "another person") == 0


def test_what_is_refused_in_one_way_does_not_count_in_the_other(here):
    while not here.wait(1, 1, "too much for this room"):
        pass
    spent = here._people.left(1)
    for _ in range(BURST):
        assert here.wait(1, 1, "too much for this room") > 0
    assert here._people.left(1) == spent == 0


@pytest.mark.parametrize(
    "body, counts",
    [("a", 1), ("a" * 1023, 1), ("a" * 1024, 2), ("가" * 341, 1), ("가" * 342, 2), ("a" * 4000, 4)],
)
def test_a_long_message_counts_more(body, counts):
    assert message_limits.units(body) == counts


def test_others_are_told_of_who_says_much_and_of_nobody_else(here, told):
    for person in range(20):
        here.wait(1, person, "hello")
    assert told == []
    here.wait(2, 7, "and once more")
    assert told == [[(7, 2)]]
    here.wait(3, 8, LONG)
    assert told[1] == [(8, 5)]


def test_what_others_tell_counts(here):
    here.told([[7, BURST]])
    assert here.wait(1, 7, "hello") > 0
    assert here.wait(1, 8, "hello") == 0


def test_those_of_whom_little_is_untold_are_forgotten(here, told, monkeypatch):
    monkeypatch.setattr(in_process, "UNTOLD_MAX", 10)
    for person in range(25):
        here.wait(1, person, "hello")
    assert told == [] and len(here._people._untold) <= 10


@pytest.fixture(scope="module")
def _frugal(django_db_setup, django_db_blocker):
    stack = Stack(2, "limits", PERSON_MESSAGE_RATE="0.01", PERSON_MESSAGE_BURST=str(BURST))
    yield stack
    stack.close()


@pytest.fixture
def frugal(_frugal, django_db_blocker):
    """Two workers at which little may be said."""
    with lent(_frugal, django_db_blocker):
        yield _frugal


async def rooms_of(stack, person, many):
    return [await stack.arun(open_room, person) for _ in range(many)]


async def spend_all(stack, person, rooms):
    """At the first worker; says how many were taken."""
    async with stack.socket(0, person) as ws:
        answers = [await say(ws, room, "hello") for room in rooms]
    refused = [answer for answer in answers if answer["type"] == "nack"]
    assert {answer["code"] for answer in refused} <= {"rate_limited"}
    assert all(answer["retry_after"] > 1 for answer in refused)
    return len(answers) - len(refused)


async def test_who_is_over_the_limit_is_told_so_at_every_door(frugal):
    (alice,) = await frugal.apeople("alice")
    *rooms, other = await rooms_of(frugal, alice, BURST + 3)
    assert await spend_all(frugal, alice, rooms) == BURST
    assert await frugal.arun(by_rest, frugal.urls[0], alice, other) == (429, "rate_limited", True)
    code, wait = await by_stomp(frugal, alice, other)
    assert code == "rate_limited" and float(wait) > 1


def by_rest(url, person, room):
    body = json.dumps({"cid": str(uuid4()), "body": "hello"}).encode()
    address = f"{url}/api/v1/rooms/{room}/events/"
    asked = urllib.request.Request(address, body, person.headers, method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused, urllib.request.urlopen(asked):
        pass
    with refused.value as answer:
        return answer.code, json.load(answer)["code"], int(answer.headers["Retry-After"]) > 1


async def by_stomp(stack, person, room):
    async with stack.socket(0, person, "/stomp") as ws:
        await ws.send("CONNECT\naccept-version:1.2\nhost:x\n\n\0")
        await answer(ws, "CONNECTED")
        await ws.send("SUBSCRIBE\nid:e\ndestination:/user/queue/errors\n\n\0")
        body = json.dumps({"chatId": str(room), "message": "hello"})
        await ws.send(f"SEND\ndestination:/send/chat/message\nreceipt:1\n\n{body}\0")
        headers = (await answer(ws, "MESSAGE")).split("\n\n")[0].split("\n")[1:]
    found = dict(line.split(":", 1) for line in headers)
    return found["code"], found["retry-after"]


async def answer(ws, command):
    async with asyncio.timeout(10):
        while not (text := await ws.recv()).startswith(command):
            pass
    return text


async def test_another_process_is_no_new_beginning(frugal):
    (alice,) = await frugal.apeople("alice")
    rooms = await rooms_of(frugal, alice, BURST)
    assert await spend_all(frugal, alice, rooms) == BURST
    async with frugal.socket(1, alice) as ws:  # it is told soon, and holds none of the rooms
        answers = [await say(ws, room, "hello") for room in rooms]
    assert [one["type"] for one in answers].count("ack") < BURST / 2
    assert answers[-1]["code"] == "rate_limited"
