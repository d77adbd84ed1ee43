"""How much one client may ask and make wait."""

import asyncio
from uuid import uuid4

from asgiref.sync import sync_to_async

from core.postgresql import reads
from interfaces.socket import session as client_module
from messaging import log
from messaging.live import frames, node, outbox
from messaging.live.packets import packet
from messaging.live.transport import Connection
from tests.interfaces.socket.client import socket


class PlainLine(Connection):
    """A line of a server that we do not know; tells when it is cut."""

    __slots__ = ("_cut",)

    def __init__(self, cut):
        super().__init__(None)
        self._cut = cut

    def cut(self):
        self._cut.set()


async def test_the_rate_is_limited_per_person_and_room(room, alice, bob, settings):
    settings.MESSAGE_BURST, settings.MESSAGE_RATE = 3, 0.5
    async with socket(bob) as client, socket(alice) as other:
        answers = [await client.say(room, f"{i}") for i in range(4)]
        assert [answer["type"] for answer in answers] == ["ack"] * 3 + ["nack"]
        assert answers[3]["code"] == "rate_limited" and 0 < answers[3]["retry_after"] <= 2
        assert (await other.say(room, "not me"))["type"] == "ack"


async def test_each_is_refused_in_their_own_language_however_often(
    room, alice, bob, settings, monkeypatch
):
    settings.MESSAGE_BURST, settings.MESSAGE_RATE = 1, 0.01
    async with socket(alice) as one, socket(bob, (b"accept-language", b"ko")) as two:
        for client in (one, two):
            await client.say(room, "the first")
        for why in ("rate_limited", "too_many"):
            monkeypatch.setattr(client_module, "IN_FLIGHT_MAX", 0 if why == "too_many" else 64)
            for _ in range(2):
                english, korean = await one.say(room, "more"), await two.say(room, "more")
                assert english["code"] == korean["code"] == why
                assert english["detail"].isascii() and not korean["detail"].isascii()


async def test_a_catch_up_reads_no_more_at_once_than_a_resume_holds(room, alice, bob, monkeypatch):
    read, run = [], reads.run

    async def measured(connection, sql, *rest):
        rows = await run(connection, sql, *rest)
        if sql == log.SIZED_AFTER:
            read.append(sum(len(log.as_event(row[:-1]).body.encode()) for row in rows))
        return rows

    monkeypatch.setattr("core.postgresql.reads.run", measured)
    await sync_to_async(log.append)(room.pk, "message", [alice.pk] * 100, "😀" * 4_000)
    async with socket(bob) as client:
        assert not (await client.subscribe(room, after=2))["recovered"]
    assert 0 < max(read) <= frames.RESUME_BYTES_MAX + 16_000


async def test_a_reader_that_is_too_slow_is_closed_and_the_others_are_not_slowed(
    room, alice, bob, monkeypatch
):
    monkeypatch.setattr(outbox, "WAITING_MAX", 10_000)
    monkeypatch.setattr(outbox, "FAREWELL_SECONDS", 0.1)
    stuck, sent, cut = asyncio.Event(), [], asyncio.Event()

    async def never_sends(message):
        sent.append(message)
        await stuck.wait()

    slow = outbox.Outbox(never_sends, PlainLine(cut))
    async with socket(alice) as one, socket(bob) as two:
        await two.subscribe(room)
        await node.current().hub.subscribe(
            room.pk, bob.pk, None, put=slow.put, ended=lambda *_: None, greet=lambda *_: None
        )
        for i in range(8):
            await one.say(room, f"{i}" * 2000)
        assert [event["seq"] for event in await two.events(8)] == list(range(3, 11))
        await asyncio.wait_for(cut.wait(), 5)
        assert slow.closed and len(sent) == 1


async def test_who_takes_nothing_between_two_heartbeats_is_too_slow(monkeypatch):
    monkeypatch.setattr(outbox, "FAREWELL_SECONDS", 0.05)
    cut, taken = asyncio.Event(), asyncio.Queue()

    async def takes_two(message):
        if taken.qsize() == 2:
            await asyncio.Event().wait()
        taken.put_nowait(message)

    slow = outbox.Outbox(takes_two, PlainLine(cut))
    for _ in range(3):
        slow.put(packet("x"))
    while taken.qsize() < 2:
        await asyncio.sleep(0.01)
    slow.check()
    assert not slow.closed  # two went out since the last heartbeat
    slow.check()
    assert slow.closed
    await asyncio.wait_for(cut.wait(), 5)
    slow._plain._sender.cancel()


async def test_who_sends_too_many_frames_is_read_more_slowly(bob, settings):
    settings.FRAME_BURST, settings.FRAME_RATE = 5, 0.5
    async with socket(bob) as client:
        for i in range(6):
            await client.send("ping", ref=str(i))
        assert [(await client.next("pong"))["ref"] for _ in range(5)] == list("01234")
        assert await client.raw.receive_nothing(timeout=0.5)
        assert (await client.next("pong"))["ref"] == "5"


async def test_who_is_refused_again_and_again_is_read_more_slowly(bob, settings):
    settings.FRAME_BURST, settings.FRAME_RATE = 30, 20
    async with socket(bob) as client:
        for _ in range(2):
            await client.send("send", room=1, cid=str(uuid4()), body=" ")
            assert (await client.next("nack"))["code"] == "blank"
        await client.send("ping")
        assert await client.raw.receive_nothing(timeout=0.3)
        await client.next("pong")
