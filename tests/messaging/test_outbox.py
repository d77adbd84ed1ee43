"""One socket's outbox behind uvicorn: straight to its transport, and by the plain ASGI send."""

import asyncio
import gc
import weakref

import pytest
import websockets
from websockets.frames import Close, Frame, Opcode

from messaging.live import outbox
from messaging.live.close_codes import CloseCode
from messaging.live.outbox import Outbox
from messaging.live.packets import packet, together
from messaging.live.transport import WAITING_MAX, Connection, behind
from tests.messaging.served import BOTH_LOOPS, Door, served
from tests.presence.cluster import until

pytestmark = BOTH_LOOPS

CLOSE = Frame(Opcode.CLOSE, Close(1000, "").serialize()).serialize(mask=False)


@pytest.fixture(params=[True, False], ids=["direct", "plain"])
async def door(request):
    door = Door(is_direct=request.param)
    async with served(door) as door.url:
        yield door


@pytest.fixture
async def direct():
    door = Door(is_direct=True)
    async with served(door) as door.url:
        yield door


async def read(client, many):
    async with asyncio.timeout(10):
        return [await client.recv() for _ in range(many)]


async def read_to_the_end(client):
    """What came, and the code of the close."""
    texts = []
    async with asyncio.timeout(10):
        try:
            while True:
                texts.append(await client.recv())
        except websockets.ConnectionClosed as closed:
            return texts, closed.rcvd and closed.rcvd.code


async def test_the_transport_of_uvicorn_is_known_on_the_loop_that_runs(direct):
    async with direct.client() as (_, end):
        assert behind(end.protocol.send) is end.protocol.transport is end.spy.transport
        module = type(asyncio.get_running_loop()).__module__
        assert type(end.spy.transport).__module__.split(".")[0] == module.split(".")[0]


async def test_what_is_put_comes_in_that_order_over_turns_and_packets(door):
    texts = [f"{i} 한" * (i * 50 + 1) for i in range(30)]
    packets = [packet(text) for text in texts]
    async with door.client() as (client, end):
        end.outbox.put(packets[0])
        end.outbox.put(together(packets[1:5]))
        end.outbox.put(together([together(packets[5:7]), packets[7]]))
        await asyncio.sleep(0)
        for each in packets[8:]:
            end.outbox.put(each)
        assert await read(client, 30) == texts


async def test_all_of_one_turn_is_one_write(direct):
    async with direct.client() as (client, end):
        before = len(end.spy.writes)
        for i in range(20):
            end.outbox.put(packet(f"{i}"))
        assert await read(client, 20) == [f"{i}" for i in range(20)]
        assert len(end.spy.writes) == before + 1


async def test_what_is_for_a_room_keeps_its_place_among_what_is_put(door):
    async with door.client() as (client, end):
        end.outbox.send_now(packet("1"))
        end.outbox.send_now(together([packet("2"), packet("3")]))
        end.outbox.put(packet("4"))
        end.outbox.send_now(packet("5"))
        end.outbox.put(packet("6"))
        await asyncio.sleep(0)
        end.outbox.send_now(packet("7"))
        assert await read(client, 7) == list("1234567")


async def test_what_is_for_a_room_does_not_wait_for_the_turn_to_end(direct):
    async with direct.client() as (client, end):
        sent = together([packet("1"), packet("2")])
        end.outbox.send_now(sent)
        assert end.spy.writes[-1] == sent.wire
        assert await read(client, 2) == ["1", "2"]


async def test_what_was_put_before_a_close_of_the_same_turn_comes_and_nothing_after(door):
    async with door.client() as (client, end):
        end.outbox.put(packet("before"))
        end.outbox.close(CloseCode.SIGNED_OUT)
        end.outbox.put(packet("after"))
        end.outbox.send_now(packet("after"))
        assert await read_to_the_end(client) == (["before"], 4001)


async def test_who_said_goodbye_gets_no_frame_after_the_close(door):
    async with door.raw() as (raw, end):
        raw.protocol.send_close(1000)
        raw.tell()
        await until(end.protocol.transport.is_closing)
        end.outbox.send_now(packet("for all"))
        end.outbox.put(packet("after"))
        assert await raw.rest() == CLOSE


async def test_a_goodbye_between_the_put_and_the_end_of_its_turn_ends_the_line(door):
    async with door.raw() as (raw, end):
        end.outbox.put(packet("too late"))
        raw.protocol.send_close(1000)
        end.protocol.data_received(b"".join(raw.protocol.data_to_send()))
        assert await raw.rest() == CLOSE


async def test_nothing_is_written_to_a_dead_line(door, caplog):
    async with door.raw() as (raw, end):
        end.protocol.transport.abort()
        for _ in range(3):
            end.outbox.send_now(packet("unheard by all"))
            end.outbox.put(packet("unheard"))
            await asyncio.sleep(0)
        assert await raw.rest() == b""
    assert not caplog.records


async def test_a_ping_among_frames_that_wait_tears_none(direct):
    sent = b""
    async with direct.raw() as (raw, end):
        for i in range(4):
            text = packet(f"{i}" * 200_000)
            end.outbox.put(text)
            await asyncio.sleep(0)
            assert end.spy.get_write_buffer_size() > 0  # the kernel has not taken it all
            end.protocol.send_keepalive_ping()
            ping = Frame(Opcode.PING, end.protocol.pending_ping_payload)
            end.protocol.stop_keepalive()
            sent += text.wire + ping.serialize(mask=False)
        async with asyncio.timeout(10):
            assert await raw.reader.readexactly(len(sent)) == sent


async def test_a_reader_that_stalls_is_closed_and_the_others_get_theirs_meanwhile(door):
    texts = []
    async with door.client() as (slow, stalled), door.client() as (quick, end):
        while not stalled.outbox.closed:
            texts.append(f"{len(texts)} " * 10_000)
            sent = packet(texts[-1])
            stalled.outbox.send_now(sent)
            end.outbox.send_now(sent)
            assert await read(quick, 1) == [texts[-1]]
            assert len(texts) * sent.size < 3 * WAITING_MAX
        got, code = await read_to_the_end(slow)
        assert (got, code) == (texts[: len(got)], CloseCode.TOO_SLOW)
        assert not end.outbox.closed


async def test_a_close_that_finds_its_reader_too_slow_is_the_only_one(door):
    """A second goodbye would be refused, and cut off the first."""
    async with door.client() as (client, end):
        for size in (1, 1, 1, 2 * WAITING_MAX):  # it takes some, and then no more
            end.outbox.send_now(packet("x" * size))
            await asyncio.sleep(0)
        await until(lambda: end.outbox._unsent() > WAITING_MAX)
        end.outbox.put(packet("too much"))
        end.outbox.close(CloseCode.RESTART)
        _, code = await read_to_the_end(client)
        assert code == CloseCode.TOO_SLOW


async def test_who_reads_nothing_between_two_heartbeats_is_cut_below_the_bound(door, monkeypatch):
    monkeypatch.setattr(outbox, "FAREWELL_SECONDS", 0.05)
    async with door.raw() as (raw, end):
        raw.writer.transport.pause_reading()
        for _ in range(9):
            end.outbox.put(packet("x" * 100_000))
        await until(lambda: end.outbox._unsent() > 0)
        unsent = None
        while unsent != (unsent := end.outbox._unsent()):  # until the kernel takes no more
            await asyncio.sleep(0.05)
        end.outbox.check()
        assert not end.outbox.closed  # some went out since the last heartbeat
        end.outbox.check()
        assert end.outbox.closed and unsent < WAITING_MAX
        if door.is_direct:
            await until(lambda: end.protocol.disconnected)


class Stumbling(Connection):
    def write(self, frames):
        raise LookupError("a fault of ours")


@pytest.mark.parametrize("way", [Outbox.put, Outbox.send_now])
async def test_an_outbox_that_stumbles_costs_the_others_nothing_and_is_closed(direct, way):
    async with direct.client() as (first, one), direct.client() as (last, other):
        end = one.protocol
        stumbling = Outbox(end.send, Stumbling(end.transport))
        for box, text in ((stumbling, "lost"), (other.outbox, "hello")):
            way(box, packet(text))
        assert await read(last, 1) == ["hello"]
        assert await read_to_the_end(first) == ([], CloseCode.FAULT)  # it comes back and resumes


async def test_a_plain_send_that_raises_ends_its_outbox_alone(direct):
    async with direct.client() as (_, one), direct.client() as (client, other):

        async def fails(message):
            raise RuntimeError("gone")

        failing = Outbox(fails, Connection(None))
        failing.put(packet("lost"))
        other.outbox.put(packet("hello"))
        assert await read(client, 1) == ["hello"]
        assert failing.closed and not one.outbox.closed


async def test_a_loop_that_is_over_is_not_kept():
    async def put():
        taken = asyncio.Event()

        async def takes(message):
            taken.set()

        Outbox(takes, Connection(None)).put(packet("x"))
        await taken.wait()
        return weakref.ref(asyncio.get_running_loop())

    loop = await asyncio.to_thread(asyncio.run, put())
    gc.collect()
    assert loop() is None


async def test_who_reads_nothing_is_reset_so_that_the_kernel_keeps_nothing_for_them(direct):
    async with direct.raw() as (raw, end):
        raw.reader._transport.pause_reading()
        while not end.spy.transport.get_write_buffer_size():  # until the kernel takes no more
            end.outbox.put(packet("x" * 60_000))
            await asyncio.sleep(0)
        Connection(end.spy.transport).cut()
        raw.reader._transport.resume_reading()
        with pytest.raises(ConnectionResetError):
            await raw.rest()


async def test_who_has_only_not_read_it_yet_gets_the_rest_after_a_cut(direct):
    async with direct.raw() as (raw, end):
        end.outbox.put(packet("the last word"))
        await until(lambda: end.spy.writes and not end.spy.transport.get_write_buffer_size())
        Connection(end.spy.transport).cut()
        assert b"the last word" in await raw.rest()
