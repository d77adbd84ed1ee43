"""A follower at work in a process: who leads, what wakes it, what it does about failures."""

import asyncio
import logging
from uuid import uuid4

import pytest
from django.db import OperationalError, connection

import core.redis
from messaging import services
from messaging.followers import runner as module
from messaging.followers.follower import Postponed
from messaging.followers.lease import Lease, holder, key
from messaging.followers.runner import Runner
from tests.messaging.followers.conftest import Recorder, say

WITHIN = 20  # seconds, on a machine that has other things to do


@pytest.fixture
def name():
    """The Redis of the tests is one: each test has a lease of its own."""
    return uuid4().hex


@pytest.fixture
async def begun():
    """Starts runners, and ends them."""
    runners = []

    def begin(follower, who="me"):
        runner = Runner(follower, Lease(follower.name, who))
        runner.start()
        runners.append(runner)
        return runner

    yield begin
    for runner in runners:
        await runner.close()


async def apart(function, *args, **named):
    """In a thread, which gives its connection back."""

    def asked():
        try:
            return function(*args, **named)
        finally:
            connection.close()

    return await asyncio.to_thread(asked)


async def until(holds):
    async with asyncio.timeout(WITHIN):
        while not holds():
            await asyncio.sleep(0.01)


@pytest.fixture
def asay(room, alice):
    async def asay(*bodies, room=room):
        await apart(say, room, alice, *bodies)

    return asay


async def test_one_of_two_leads_and_the_other_takes_over_when_it_goes(room, name, begun, asay):
    followers = Recorder(name), Recorder(name)
    one = begun(followers[0], "one")
    await until(lambda: one.leads and followers[0].seqs(room) == [1, 2])
    other = begun(followers[1], "other")
    assert not await other._lease.hold() and not other.leads
    assert await asyncio.to_thread(holder, name) == "one"
    await one.close()
    await until(lambda: other.leads)
    await asay("after it")
    other.look([room.pk])
    await until(lambda: followers[1].seqs(room) == [3])
    assert followers[0].seqs(room) == [1, 2]


async def test_a_hint_is_followed_at_once(room, name, begun, asay, monkeypatch):
    monkeypatch.setattr(module, "SWEEP_SECONDS", 3600)
    follower = Recorder(name)
    runner = begun(follower)
    await until(lambda: follower.seqs(room) == [1, 2])
    await asay("hello")
    runner.look([room.pk])
    await until(lambda: follower.seqs(room) == [1, 2, 3])
    await asay("too many to name")
    runner.look([])
    await until(lambda: follower.seqs(room) == [1, 2, 3, 4])


async def test_a_lost_hint_is_made_up_for_by_the_sweep(room, name, begun, asay, monkeypatch):
    monkeypatch.setattr(module, "SWEEP_SECONDS", 0.2)
    follower = Recorder(name)
    begun(follower)
    await until(lambda: follower.seqs(room) == [1, 2])
    await asay("hello")
    await until(lambda: follower.seqs(room) == [1, 2, 3])


async def test_a_closed_room_is_found_by_the_sweep_of_all(room, alice, name, begun, monkeypatch):
    monkeypatch.setattr(module, "SWEEP_SECONDS", 0.2)
    monkeypatch.setattr(module, "WHOLE_SWEEP_SECONDS", 0.5)
    follower = Recorder(name)
    begun(follower)
    await until(lambda: follower.seqs(room) == [1, 2])
    await apart(services.close_room, room.pk, by=alice)
    await until(lambda: follower.seqs(room) == [1, 2, 3])


async def test_a_poisoned_room_stops_no_other_and_heals(
    room, alice, name, begun, asay, monkeypatch, caplog
):
    monkeypatch.setattr(module, "SWEEP_SECONDS", 0.2)
    follower = Recorder(name)
    follower.fails_at = {"poison"}
    other = await apart(services.open_room, alice, title="Other")
    await asay("poison")
    await asay("hello", room=other)
    with caplog.at_level(logging.ERROR):
        begun(follower)
        await until(lambda: follower.seqs(other) == [1, 2])
        await asay("and on", room=other)
        await until(lambda: follower.seqs(other) == [1, 2, 3])
        await until(lambda: f"in room {room.pk}, 2 times so far" in caplog.text)
    assert follower.seqs(room) == []
    assert caplog.text.count("Traceback") == 1
    follower.fails_at = set()
    await until(lambda: follower.seqs(room) == [1, 2, 3])


async def test_what_is_postponed_is_told_in_a_line(room, name, begun, caplog):
    class Away(Recorder):
        def apply(self, lines):
            raise Postponed("their server is away")

    with caplog.at_level(logging.WARNING):
        begun(Away(name))
        await until(lambda: "times so far: their server is away" in caplog.text)
    assert "Traceback" not in caplog.text


async def test_it_goes_on_after_anything_else_that_fails(room, name, begun, monkeypatch, caplog):
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.1)
    follower = Recorder(name)
    begin, failed = module.steps.begin, []

    def failing(follower):
        if len(failed) < 2:
            failed.append(1)
            raise ZeroDivisionError
        return begin(follower)

    monkeypatch.setattr(module.steps, "begin", failing)
    begun(follower)
    await until(lambda: follower.seqs(room) == [1, 2])
    assert "failed, and begins again" in caplog.text


async def test_after_an_outage_in_the_middle_no_room_is_forgotten(
    room, alice, name, begun, asay, monkeypatch
):
    monkeypatch.setattr(module, "SWEEP_SECONDS", 3600)
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.1)
    rooms = [await apart(services.open_room, alice, title=f"{n}") for n in range(3)]
    follower, take, taken = Recorder(name), module.steps.take, []
    follower.fails_at = {"poison"}
    await asay("poison")

    def failing(*args):
        taken.append(args)
        if len(taken) == 3:  # all of them, the poisoned one, and the next
            raise OperationalError("the server does not answer")
        return take(*args)

    monkeypatch.setattr(module.steps, "take", failing)
    begun(follower)
    await until(lambda: all(follower.seqs(other) == [1] for other in rooms))


async def test_while_nothing_is_stored_it_waits_and_says_so_once(
    room, name, begun, asay, monkeypatch, caplog
):
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.1)
    monkeypatch.setattr(module, "SWEEP_SECONDS", 0.1)
    follower, take, refused = Recorder(name), module.steps.take, []

    def refusing(*args):
        if len(refused) < 5:
            refused.append(args)
            raise OperationalError("it only reads")
        return take(*args)

    begun(follower)
    await until(lambda: follower.seqs(room) == [1, 2])
    monkeypatch.setattr(module.steps, "take", refusing)
    with caplog.at_level(logging.WARNING):
        await asay("meanwhile")
        await until(lambda: follower.seqs(room) == [1, 2, 3])
        await until(lambda: "goes on" in caplog.text)
    told = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    assert told == [
        f"the follower {name} waits: it only reads",
        f"the follower {name} goes on",
    ]


async def test_without_redis_one_works_and_nothing_comes_twice(
    room, name, begun, asay, settings, monkeypatch
):
    monkeypatch.setattr(module, "SWEEP_SECONDS", 0.1)
    settings.REDIS_URL = "redis://127.0.0.1:1"
    both = Recorder(name), Recorder(name)
    for number, follower in enumerate(both):
        begun(follower, f"{number}")
    for number in range(20):
        await asay(f"{number}")
    seqs = lambda: sorted(both[0].seqs(room) + both[1].seqs(room))  # noqa: E731
    await until(lambda: len(seqs()) >= 22)
    assert seqs() == list(range(1, 23))


async def test_a_lease_is_one_processs_until_it_is_over_or_given_back(name, settings):
    one, other = Lease(name, "one", seconds=60), Lease(name, "other", seconds=60)
    assert await one.hold() and await one.hold()
    assert not await other.hold()
    async with core.redis.async_client(settings.REDIS_URL) as redis:
        assert 59_000 < await redis.pttl(key(name)) <= 60_000
        await redis.delete(key(name))  # as if it were over
        assert await other.hold() and not await one.hold()
        await one.release()
        assert await redis.get(key(name)) == b"other"
        await other.release()
        assert await redis.get(key(name)) is None


async def test_one_that_lets_lines_gather_does_not_wait_where_there_is_more(
    room, name, begun, asay, monkeypatch
):
    monkeypatch.setattr(module, "SWEEP_SECONDS", 3600)
    follower = Recorder(name)
    follower.gather_seconds = 3600
    await asay(*map(str, range(500)))  # more than one step has
    runner = begun(follower)
    await until(lambda: len(follower.lines) == 502)
    follower.gather_seconds = 1.0
    stepped_at = runner._stepped_at
    await asay("later")
    runner.look([room.pk])
    await until(lambda: len(follower.lines) == 503)
    assert runner._stepped_at - stepped_at >= 1.0


async def test_two_databases_at_one_redis_have_a_leader_each(name, monkeypatch):
    one, other = Lease(name, "one"), Lease(name, "other")
    assert await one.hold() and not await other.hold()
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "NAME", "another")
        assert await other.hold() and holder(name) == "other"
        await other.release()
    assert holder(name) == "one"
    await one.release()
