"""The proxy of the fault harness is as bad a line as was asked for, and no worse."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from faults.proxy import Proxy

WITHIN = 5  # seconds
NOTHING = 0.1  # seconds in which a black hole is seen to let nothing through


class Echo:
    """Says what it hears, and how each connection ended for it."""

    def __init__(self):
        self.heard = bytearray()
        self.ends = asyncio.Queue()
        self.writers = []

    async def serve(self, reader, writer):
        self.writers.append(writer)
        try:
            while data := await reader.read(1000):
                self.heard += data
                writer.write(data)
            self.ends.put_nowait("end")
        except ConnectionResetError:
            self.ends.put_nowait("reset")
        writer.close()

    async def ended(self):
        async with asyncio.timeout(WITHIN):
            return await self.ends.get()


@asynccontextmanager
async def a_line():
    echo = Echo()
    async with await asyncio.start_server(echo.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        proxy = Proxy(lambda: asyncio.open_connection("127.0.0.1", port))
        await proxy.start()
        try:
            yield proxy, echo
        finally:
            await proxy.stop()
            for writer in echo.writers:
                writer.transport.abort()


class Caller:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def say(self, data):
        self.writer.write(data)

    async def hears(self, data):
        async with asyncio.timeout(WITHIN):
            assert await self.reader.readexactly(len(data)) == data

    async def hears_nothing(self):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(NOTHING):
                await self.reader.read(1)

    async def ended(self):
        """How, and what came before."""
        came = b""
        async with asyncio.timeout(WITHIN):
            try:
                while data := await self.reader.read(1000):
                    came += data
            except ConnectionResetError:
                return "reset", came
        return "end", came


@asynccontextmanager
async def called(proxy):
    caller = Caller(*await asyncio.open_connection("127.0.0.1", proxy.port))
    try:
        yield caller
    finally:
        caller.writer.transport.abort()


@asynccontextmanager
async def in_a_call():
    """Something was said already."""
    async with a_line() as (proxy, echo), called(proxy) as caller:
        caller.say(b"hello")
        await caller.hears(b"hello")
        yield proxy, echo, caller


async def test_it_passes_on_what_is_said_and_the_end_of_it():
    async with in_a_call() as (_, echo, caller):
        caller.writer.write_eof()

        assert await echo.ended() == "end"
        assert await caller.ended() == ("end", b"")


async def test_much_comes_through_whole():
    async with in_a_call() as (_, echo, caller):
        much = bytes(range(256)) * 8_000
        caller.say(much)

        await caller.hears(much)
        assert echo.heard == b"hello" + much


async def test_late_pieces_stay_in_order():
    async with in_a_call() as (proxy, _, caller):
        proxy.be(delay=0.02)
        for number in range(10):
            caller.say(bytes([number]) * 50)
            await asyncio.sleep(0)

        await caller.hears(b"".join(bytes([number]) * 50 for number in range(10)))


@pytest.mark.parametrize("rate", [3_000, 100])
async def test_a_drip_is_no_faster_than_it_is_to_be(rate):
    async with in_a_call() as (proxy, echo, caller):
        proxy.be(drip=rate)
        loop = asyncio.get_running_loop()
        began = loop.time()
        caller.say(b"x" * (rate // 5))
        await caller.hears(b"x" * (rate // 5))

        assert loop.time() - began >= 0.2
        assert echo.heard == b"hello" + b"x" * (rate // 5)


async def test_what_waits_in_a_drip_comes_at_once_when_it_is_mended():
    async with in_a_call() as (proxy, _, caller):
        proxy.be(drip=10)
        caller.say(b"x" * 3_000)  # five minutes
        await caller.hears(b"x")
        proxy.mend()

        await caller.hears(b"x" * 2_999)


async def test_a_black_hole_keeps_what_is_said_until_it_is_mended():
    async with in_a_call() as (proxy, echo, caller):
        proxy.black_hole()
        caller.say(b"hello?")
        await caller.hears_nothing()
        assert echo.heard == b"hello"

        proxy.mend()
        await caller.hears(b"hello?")


async def test_a_black_hole_takes_those_who_come_and_tells_them_nothing():
    async with a_line() as (proxy, echo):
        proxy.black_hole()
        async with called(proxy) as caller:
            caller.say(b"hello?")
            await caller.hears_nothing()
            assert not echo.writers

            proxy.mend()
            await caller.hears(b"hello?")


@pytest.mark.parametrize("goes", ["close", "abort"])
async def test_nobody_hears_through_a_black_hole_that_the_client_went(goes):
    async with in_a_call() as (proxy, echo, caller):
        proxy.black_hole()
        caller.writer.close() if goes == "close" else caller.writer.transport.abort()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(NOTHING):
                await echo.ends.get()

        proxy.mend()
        assert await echo.ended() in ("end", "reset")


async def test_nobody_hears_through_a_black_hole_that_the_server_went():
    async with in_a_call() as (proxy, echo, caller):
        proxy.black_hole()
        echo.writers[0].transport.abort()
        await caller.hears_nothing()

        proxy.mend()
        assert (await caller.ended())[1] == b""


async def test_a_reset_is_one_on_both_sides():
    async with in_a_call() as (proxy, echo, caller):
        assert proxy.reset() == 1

        assert await caller.ended() == ("reset", b"")
        assert await echo.ended() == "reset"
        assert not proxy.connections


async def test_half_closed_the_server_may_still_speak():
    async with in_a_call() as (proxy, echo, caller):
        (connection,) = proxy.connections
        proxy.half_close()
        assert await echo.ended() == "end"
        caller.say(b"too late")

        assert await caller.ended() == ("end", b"")
        assert echo.heard == b"hello"
        assert connection.is_half_closed


@pytest.mark.parametrize("size", [0, 1, 9, 10])
async def test_it_cuts_right_behind_that_many_bytes_to_the_server(size):
    async with in_a_call() as (proxy, echo, caller):
        proxy.be(cut_up=size)
        caller.say(b"0123456789")

        assert await echo.ended() == "reset"
        assert (await caller.ended())[0] == "reset"
        assert echo.heard == b"hello" + b"0123456789"[:size]


@pytest.mark.parametrize("size", [0, 1, 9, 10])
async def test_it_cuts_right_behind_that_many_bytes_to_the_client(size):
    async with in_a_call() as (proxy, echo, caller):
        proxy.be(cut_down=size)
        caller.say(b"0123456789")

        assert await caller.ended() == ("reset", b"0123456789"[:size])
        assert await echo.ended() == "reset"


async def test_a_line_that_is_cut_lets_the_next_one_through_when_it_is_mended():
    async with in_a_call() as (proxy, _, caller):
        proxy.be(cut_up=3)
        caller.say(b"0123456789")
        await caller.ended()

        proxy.mend()
        async with called(proxy) as again:
            again.say(b"hello")
            await again.hears(b"hello")


async def test_where_no_server_is_the_client_is_hung_up_on():
    async def nobody():
        raise ConnectionRefusedError

    proxy = Proxy(nobody)
    await proxy.start()
    async with called(proxy) as caller:
        caller.say(b"hello")
        assert (await caller.ended())[1] == b""
    await proxy.stop()
