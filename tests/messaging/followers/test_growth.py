"""Which logs have grown is told soon, seldom, and to all processes."""

import asyncio
import time

import pytest
from channels.layers import get_channel_layer

from messaging import services
from messaging.live import growth, node
from messaging.live.broker import PEOPLE, group, packed
from messaging.live.growth import Growth
from messaging.log.event import Person
from tests.messaging.followers.test_runner import apart


@pytest.fixture
def gathered():
    """What is told to others, and what is heard here."""
    told, heard = [], []
    found = Growth(told.append)
    found.grown = heard.append
    yield found, told, heard
    found.close()


async def until(holds):
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


async def test_what_grows_within_a_moment_is_told_once_here_and_there(gathered):
    found, told, heard = gathered
    began = time.monotonic()
    for room in (1, 2, 1, 1):
        found.add(room)
    assert (told, heard) == ([], [])
    await until(lambda: heard)
    assert time.monotonic() - began >= growth.GATHER_SECONDS
    assert told == [{"type": "grew", "rooms": [1, 2]}] and heard == [[1, 2]]
    found.add(3)
    await until(lambda: len(heard) == 2)
    assert heard[1] == [3]


async def test_too_many_to_name_are_not_named(gathered):
    found, told, heard = gathered
    for room in range(growth.ROOMS_MAX + 1):
        found.add(room)
    await until(lambda: heard)
    assert told == [{"type": "grew", "rooms": []}] and heard == [[]]


async def test_whatever_is_stored_here_is_grown(room, alice):
    grown = []
    node.current().growth.grown = grown.append
    await node.current().start()
    await apart(services.post, room.pk, Person(alice.pk, "Alice"), "by the writer")
    await until(lambda: grown == [[room.pk]])
    await apart(services.close_room, room.pk, by=alice)  # by a transaction
    await until(lambda: grown == [[room.pk]] * 2)


async def test_what_grows_elsewhere_is_heard_of(room, alice):
    grown = []
    node.current().growth.grown = grown.append
    await node.current().start()
    told = packed(PEOPLE, "another process", growth.message([7]))
    await get_channel_layer().publish_many([(group(PEOPLE), told)])
    await until(lambda: grown == [[7]])


def test_a_command_tells_the_servers_too(room, alice, monkeypatch):
    from messaging.live import announce

    sent = []

    async def tell(told):
        sent.extend(told)

    monkeypatch.setattr(announce, "_tell", tell)
    services.close_room(room.pk, by=alice)
    assert (PEOPLE, {"type": "grew", "rooms": [room.pk]}) in sent
