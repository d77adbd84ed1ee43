"""Stores that go down and come back: presence says that it is degraded, and heals by itself."""

import asyncio
import signal

import pytest
from django.conf import settings

from core import redis
from presence import last_seen, services
from tests.presence.cluster import document, until, utc

ROOM, ALICE, BOB, CHARLIE = 7, 1, 2, 3


def kill(server):
    server.process.signal(signal.SIGKILL)
    server.process.wait()


async def revive(server):
    server.start()
    await asyncio.to_thread(server.wait)


@pytest.fixture
async def both(cluster):
    one, two = await cluster.open("one"), await cluster.open("two")
    await one.watch(ROOM, ALICE, "Alice")
    await two.watch(ROOM, BOB, "Bob")
    await until(lambda: BOB in one.people and ALICE in two.people)
    await until(lambda: is_online(ALICE))
    await until(lambda: is_online(BOB))
    return one, two


async def test_while_mongodb_is_down_people_come_and_go_and_it_heals(both, mongodb):
    one, two = both
    kill(mongodb)
    await until(lambda: one.degraded and two.degraded)

    at = utc()
    two.tracker.untrack(ROOM, BOB, at, 17)
    two.tracker.track(ROOM, CHARLIE, "Charlie")
    await until(lambda: set(one.people) == {ALICE, CHARLIE})
    assert (await one.tracker.snapshot(ROOM))["degraded"]
    assert await asyncio.to_thread(services.last_exit, ROOM, BOB) is None
    assert await asyncio.to_thread(services.states, ROOM, [BOB]) == {}

    await revive(mongodb)

    await until(lambda: one.degraded is False and two.degraded is False)
    exit = await until(lambda: asyncio.to_thread(services.last_exit, ROOM, BOB))
    assert (exit.at, exit.seq) == (at, 17)
    await until(lambda: is_online(CHARLIE))


async def test_a_mongodb_that_lost_everything_is_told_again(both, cluster):
    one, _ = both
    await asyncio.to_thread(last_seen.Attendance.objects.delete)
    one.tracker.state.write_behind.mongodb.failed("as if")
    one.tracker.state.write_behind.seen(1)

    await until(lambda: is_online(ALICE))


async def test_a_redis_that_was_killed_and_is_empty_is_told_again(both, valkey):
    one, two = both
    kill(valkey)
    await until(lambda: one.degraded and two.degraded)
    at = utc()
    two.tracker.untrack(ROOM, BOB, at, 17)
    one.tracker.track(ROOM, CHARLIE, "Charlie")
    await until(lambda: CHARLIE in one.people)  # our own are shown all the same
    snapshot = await one.tracker.snapshot(ROOM)
    assert snapshot["degraded"] and snapshot["count"] == 3

    await revive(valkey)

    await until(lambda: set(one.people) == set(two.people) == {ALICE, CHARLIE})
    await until(lambda: one.degraded is False and two.degraded is False)
    exit = await until(lambda: asyncio.to_thread(services.last_exit, ROOM, BOB))
    assert (exit.at, exit.seq) == (at, 17)


async def test_who_was_away_while_redis_was_down_was_away(both, valkey):
    one, two = both
    kill(valkey)
    await until(lambda: two.degraded)
    at = utc()
    two.tracker.untrack(ROOM, BOB, at, 17)
    await until(lambda: not two.tracker.state.local.waiting)
    two.tracker.track(ROOM, BOB, "Bob")

    await revive(valkey)

    exit = await until(lambda: asyncio.to_thread(services.last_exit, ROOM, BOB))
    assert exit.at == at and await is_online(BOB)
    await until(lambda: set(one.people) == set(two.people) == {ALICE, BOB})


async def test_a_redis_that_forgot_everything_is_told_again_and_nobody_went(both):
    one, two = both
    async with redis.async_client(settings.REDIS_URL) as client:
        await client.flushall()
        await until(lambda: both_known(one))

    two.tracker.track(ROOM, CHARLIE, "Charlie")

    await until(lambda: set(one.people) == {ALICE, BOB, CHARLIE})
    assert not any(frame.get("went") for frame in one.frames + two.frames)
    assert (await document(ROOM, BOB)).exit_at is None


async def test_a_redis_that_hangs_is_waited_for_a_moment_only(both, valkey):
    one, two = both
    valkey.process.signal(signal.SIGSTOP)
    try:
        loop = asyncio.get_running_loop()
        began = loop.time()
        two.tracker.track(ROOM + 1, BOB, "Bob")
        snapshot = await two.tracker.snapshot(ROOM + 1)
        assert snapshot["here"] == [{"id": BOB, "name": "Bob"}] and snapshot["degraded"]
        assert loop.time() - began < 10
        two.tracker.untrack(ROOM, BOB, utc(), 1)
    finally:
        valkey.process.signal(signal.SIGCONT)

    await until(lambda: set(one.people) == {ALICE} and one.degraded is False)


async def test_a_departure_that_redis_missed_leaves_no_ghost(both, cluster):
    one, two = both
    strange = two.tracker.state.leases
    await strange.apply([(ROOM, True, [("here", CHARLIE, "Charlie")])])  # nobody's connection

    await until(lambda: CHARLIE not in one.people and BOB in one.people)

    await until(lambda: not_held(one, CHARLIE))


async def test_a_process_starts_and_stops_while_both_stores_are_down(valkey, mongodb, cluster):
    kill(valkey)
    kill(mongodb)
    loop = asyncio.get_running_loop()

    one = await cluster.open("one")
    one.tracker.track(ROOM, ALICE, "Alice")
    snapshot = await one.tracker.snapshot(ROOM)
    began = loop.time()
    await one.tracker.stop()

    assert snapshot["count"] == 1
    assert loop.time() - began < 5
    cluster.servers.clear()


async def test_a_process_that_started_without_stores_finds_them(valkey, mongodb, cluster):
    kill(valkey)
    kill(mongodb)
    one = await cluster.open("one")
    await one.watch(ROOM, ALICE, "Alice")
    await until(lambda: one.degraded)

    await revive(valkey)
    await revive(mongodb)

    await until(lambda: one.degraded is False)
    await until(lambda: is_online(ALICE))


async def is_online(user_id):
    found = await document(ROOM, user_id)
    return found and found.online


async def both_known(one):
    held_by = (await one.tracker.state.leases.load(ROOM)).held_by
    return {ALICE, BOB} <= held_by.keys()


async def not_held(one, user_id):
    return user_id not in (await one.tracker.state.leases.load(ROOM)).held_by
