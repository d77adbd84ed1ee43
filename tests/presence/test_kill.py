"""Processes that go without a word."""

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from django.conf import settings

from core import redis
from presence import last_seen
from presence.marks import Mark
from presence.room_state import now_micros
from tests.presence.cluster import TIMINGS, document, until

ROOM, ALICE, BOB, CHARLIE = 7, 1, 2, 3


@pytest.fixture
def lodge():
    @asynccontextmanager
    async def lodge(name, *user_ids):
        urls = {"REDIS_URL": settings.REDIS_URL, "MONGODB_URL": settings.MONGODB_URL}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.presence.killable_process", name, str(ROOM)),
            *map(str, user_ids),
            env=os.environ | urls,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert (await process.stdout.readline()) == b"here\n"
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    return lodge


async def test_the_people_of_a_killed_process_are_gone_as_of_its_last_sign_of_life(cluster, lodge):
    one, two = await cluster.open("one"), await cluster.open("two")
    await one.watch(ROOM, ALICE, "Alice")
    await two.watch(ROOM, ALICE, "Alice")
    began = now_micros()
    async with lodge("killed", BOB, CHARLIE) as process:
        await until(lambda: {BOB, CHARLIE} <= one.people.keys())
        process.kill()
        killed = now_micros()

        await until(lambda: one.people == {ALICE: "Alice"} == two.people)

    for user_id in (BOB, CHARLIE):
        gone = await until(lambda user_id=user_id: gone_document(user_id))
        assert began < gone.exit_at <= killed
    assert {one["id"] for f in one.frames for one in f.get("went", [])} == {BOB, CHARLIE}
    assert set((await one.tracker.state.leases.beat()).live) == {"one", "two"}
    assert await one.tracker.state.leases.rooms_of("killed") == []


async def test_who_is_here_by_another_process_too_stays_when_one_is_killed(cluster, lodge):
    one = await cluster.open("one")
    await one.watch(ROOM, ALICE, "Alice")
    async with lodge("killed", ALICE, BOB) as process:
        await until(lambda: BOB in one.people)
        process.kill()

        await until(lambda: BOB not in one.people)

    await until(lambda: gone_document(BOB))
    assert ALICE in one.people and await gone_document(ALICE) is None
    assert not any(one["id"] == ALICE for f in one.frames for one in f.get("went", []))


async def test_a_process_that_was_stopped_for_long_comes_back_with_its_people(cluster, lodge):
    one = await cluster.open("one")
    await one.watch(ROOM, ALICE, "Alice")
    async with lodge("frozen", BOB) as process:
        await until(lambda: BOB in one.people)
        process.send_signal(signal.SIGSTOP)
        await until(lambda: BOB not in one.people)
        gone = await until(lambda: gone_document(BOB))

        process.send_signal(signal.SIGCONT)

        await until(lambda: BOB in one.people)
        back = await until(lambda: online_document(BOB))
        assert back.exit_at == gone.exit_at


async def test_a_reaper_that_dies_midway_leaves_no_ghost(cluster, lodge):
    calm = replace(TIMINGS, beat=3600, audit=3600)  # does nothing by itself
    one = await cluster.open("one", calm)
    await one.watch(ROOM, ALICE, "Alice")
    async with lodge("killed", BOB) as process:
        process.kill()
        await process.wait()
    beat = await until(lambda: dead_seen_by(one))
    assert await one.tracker.state.leases.reap(ROOM, "killed", beat.dead["killed"])
    await one.tracker.state.leases.bury("killed", beat.dead["killed"])
    await one.die()  # before MongoDB was told
    assert (await document(ROOM, BOB)).online

    await cluster.open("two")

    await until(lambda: gone_document(BOB))
    await until(lambda: gone_document(ALICE))


async def test_many_reapers_at_once_do_it_once(cluster, lodge):
    calm = replace(TIMINGS, beat=3600, audit=3600)
    servers = [await cluster.open(f"server {number}", calm) for number in range(4)]
    await servers[0].watch(ROOM, ALICE, "Alice")
    async with lodge("killed", BOB) as process:
        process.kill()
        await process.wait()
    await until(lambda: dead_seen_by(servers[0]))

    await asyncio.gather(*(server.tracker.reaper.beat() for server in servers))

    went = [change["went"] for server in servers for change in server.told if change["went"]]
    gone = await until(lambda: gone_document(BOB))
    assert went == [[[BOB, gone.exit_at]]]


async def test_when_all_are_killed_and_redis_is_empty_nobody_stays_online(cluster, lodge):
    async with lodge("first", ALICE) as first, lodge("second", BOB) as second:
        for process in (first, second):
            process.kill()
            await process.wait()
    killed = now_micros()
    async with redis.async_client(settings.REDIS_URL) as client:
        await client.flushall()

    one = await cluster.open("one")
    await one.watch(ROOM, CHARLIE, "Charlie")

    for user_id in (ALICE, BOB):
        gone = await until(lambda user_id=user_id: gone_document(user_id))
        assert gone.came_at <= gone.exit_at <= killed
    assert await online_document(CHARLIE)


async def test_an_orphan_who_is_here_by_a_living_process_is_not_sent_away(cluster, lodge):
    one = await cluster.open("one")
    await one.watch(ROOM, ALICE, "Alice")
    await until(lambda: online_document(ALICE))
    stale = Mark(ROOM, ALICE, now_micros(), online=True, process="long gone", came_at=1)
    await asyncio.to_thread(last_seen.write, [stale])

    await until(lambda: held_by("one", ALICE))

    assert (await document(ROOM, ALICE)).exit_at is None


async def gone_document(user_id):
    found = await document(ROOM, user_id)
    return found if found and not found.online else None


async def online_document(user_id):
    found = await document(ROOM, user_id)
    return found if found and found.online else None


async def held_by(process, user_id):
    return (await document(ROOM, user_id)).process == process


async def dead_seen_by(server):
    beat = await server.tracker.state.leases.beat()
    return beat if "killed" in beat.dead else None
