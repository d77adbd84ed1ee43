"""Who is put off comes back when they were told to: at the sign-in, and at the handshake."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from chattalk_client import ChatTalk, Message, Refused
from chattalk_client.chat import PUT_OFF_MOST

from chattalk.server import crowds
from tests.clients.python.conftest import WITHIN, signed_up
from tests.doors.clients import PASSWORD

SECONDS = 1  # that the server says
LENGTH = b"content-length:"


async def put_off(path):
    """What the server answers, to the byte but for the status line."""
    said = []

    async def send(message):
        said.append(message)

    await crowds.put_off({"path": path, "headers": [], "client": ("192.0.2.7", 5)}, send)
    head = b"".join(b"%s: %s\r\n" % pair for pair in said[0]["headers"])
    return b"HTTP/1.1 %d Later\r\n%s\r\n%s" % (said[0]["status"], head, said[1]["body"])


class Door:
    """In front of a worker: it puts off who comes to a path for the first time, or so often."""

    def __init__(self, worker, times=1):
        self.worker, self.times = worker, times
        self.came = {}  # when, by path
        self._visits = set()

    async def __call__(self, reader, writer):
        self._visits.add(asyncio.current_task())
        try:
            await self._answer(reader, writer)
        finally:
            await end(writer)

    async def all_gone(self):
        await asyncio.gather(*self._visits)

    async def _answer(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        path = urlsplit(head.split(b" ")[1].decode()).path
        times = self.came.setdefault(path, [])
        times.append(asyncio.get_running_loop().time())
        if len(times) <= self.times:
            length = head.lower().partition(LENGTH)[2].split(b"\r")[0]
            await reader.readexactly(int(length or 0))
            writer.write(await put_off(path))
        else:
            theirs, to_worker = await asyncio.open_connection(*self.worker)
            to_worker.write(head)
            await asyncio.gather(relay(reader, to_worker), relay(theirs, writer))


async def end(writer):
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def relay(reader, writer):
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    await end(writer)


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(crowds, "COME_BACK", (SECONDS, SECONDS))


async def test_a_client_that_is_put_off_waits_as_long_as_it_is_told_and_gets_in(fast, soon):
    email, worker = await signed_up(fast, "Alice"), urlsplit(fast.urls[0])
    door = Door((worker.hostname, worker.port))
    async with asyncio.timeout(WITHIN), await asyncio.start_server(door, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with ChatTalk(fast.urls[0], email=email, password=PASSWORD) as chat:
            card = await chat.open("Tea")
        async with ChatTalk(f"http://127.0.0.1:{port}", email=email, password=PASSWORD) as chat:
            room = await chat.enter(card.id)
            await room.send("in by now")
            async for event in room.events():
                if isinstance(event, Message):
                    assert event.body == "in by now"
                    break
        await door.all_gone()
    for path in ("/api/v1/tokens/", "/ws/"):
        first, second, *_more = door.came[path]
        assert SECONDS <= second - first < SECONDS + 10, path


async def test_who_is_put_off_again_and_again_is_told(soon):
    door = Door(("127.0.0.1", 9), times=PUT_OFF_MOST + 1)
    async with asyncio.timeout(WITHIN), await asyncio.start_server(door, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Refused) as refused:
            async with ChatTalk(f"http://127.0.0.1:{port}", email="a@b.c", password="x"):
                pass
        await door.all_gone()
    assert (refused.value.code, refused.value.retry_after) == ("unavailable", SECONDS)
    assert len(door.came["/api/v1/tokens/"]) == PUT_OFF_MOST + 1
