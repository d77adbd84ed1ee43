"""Followers in two real workers: one leads, dies, stands still; the counters are the log's."""

import asyncio
import os
import time
from uuid import uuid4

import pytest

from messaging.followers.lease import holder
from messaging.models import FollowerPosition
from rooms.models import Room
from tests.messaging.followers.test_counters import counted, in_log
from tests.messaging.test_two_processes import frame, open_room, subscribe, tell
from tests.stack import Stack

TAKEN_OVER_WITHIN = 5.0  # seconds: promised
LOOK_EVERY = 0.05  # seconds
NAME = "counters"


async def until(stack, holds, *args, seconds=20.0):
    """Seconds until it held."""
    began = time.monotonic()
    async with asyncio.timeout(seconds):
        while not await stack.arun(holds, *args):
            await asyncio.sleep(LOOK_EVERY)
    return time.monotonic() - began


def leader(stack):
    """The number of the worker that leads; None while nobody does."""
    who = holder(NAME)
    pid = int(who.split(":")[1]) if who else 0
    return stack.pids.index(pid) if pid in stack.pids else None


async def led(stack):
    await until(stack, lambda: leader(stack) is not None)
    return leader(stack)


def followed(room):
    return FollowerPosition.objects.filter(follower=NAME, room=room).values_list("seq").first()


def is_followed(room, seq):
    return (followed(room) or (0,))[0] >= seq


def head(room):
    return Room.objects.get(pk=room).last_seq


@pytest.fixture(scope="module")
def _stack(django_db_setup):
    """In a database of its own: of what others prune, nobody can count the lines again."""
    stack = Stack(database="followed")
    yield stack
    stack.close()


@pytest.fixture
async def talk(stack):
    """A room in which two people can say things, at the worker that they name."""
    alice, bob = await stack.apeople("alice", "bob")
    room = await stack.arun(open_room, alice, bob)

    async def say(number, *bodies):
        async with stack.socket(number, alice) as ws:
            await subscribe(ws, room)
            for body in bodies:
                await tell(ws, "send", room=room, body=body, cid=str(uuid4()))
                await frame(ws, "ack")

    return room, say


async def test_what_is_said_at_any_worker_is_counted_soon(stack, talk):
    room, say = talk
    one = await led(stack)
    for number in (one, 1 - one):
        await say(number, "hello")
        seq = await stack.arun(head, room)
        await until(stack, is_followed, room, seq, seconds=4.0)  # a sweep would take up to 5 s


async def test_when_the_leader_is_killed_another_goes_on_and_skips_nothing(stack, talk):
    room, say = talk
    for _ in range(2):
        dies = await led(stack)
        await say(1 - dies, *["before"] * 10)  # some of which it has not followed yet
        stack.kill9(dies)
        killed_at = time.monotonic()
        await say(1 - dies, *["after"] * 5)
        await until(stack, is_followed, room, await stack.arun(head, room))
        assert time.monotonic() - killed_at < TAKEN_OVER_WITHIN
        assert await stack.arun(counted) == await stack.arun(in_log)
        stack.restart(dies)  # in the main thread, with which it ends


async def test_a_leader_that_stood_still_counts_nothing_twice(stack, talk):
    room, say = talk
    still = await led(stack)
    await say(1 - still, *["hello"] * 5)
    stack.stop(still)
    await say(1 - still, *["hello"] * 10)
    seq = await stack.arun(head, room)
    await until(stack, is_followed, room, seq)
    assert leader(stack) == 1 - still
    stack.cont(still)
    await say(still, "I am back", "and still one of two")
    seq = await stack.arun(head, room)
    await until(stack, is_followed, room, seq)
    assert leader(stack) == 1 - still
    assert await stack.arun(counted) == await stack.arun(in_log)


async def test_an_orderly_restart_hands_over_at_once(stack, talk):
    room, _say = talk
    ends = await led(stack)
    stack.terminate(ends)
    seconds = await until(stack, lambda: leader(stack) == 1 - ends)
    assert seconds < 1.5  # the lease would last for 2.5
    assert os.getpid() not in stack.pids and await stack.arun(head, room)
