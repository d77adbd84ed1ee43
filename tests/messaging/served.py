"""uvicorn as our workers run it, in the test's own event loop: what it does can be looked into.

Modules that test on both of uvicorn's event loops say `pytestmark = BOTH_LOOPS`.
"""

import asyncio
import socket
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from chattalk.server.worker import configuration
from chattalk.server.workers import listen
from messaging.live.outbox import Outbox
from messaging.live.transport import Connection, behind
from tests.presence.cluster import until
from tests.raw_socket import opened

BOTH_LOOPS = pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
BUFFER = 16 * 1024  # bytes that the kernel may take; a reader that stalls is noticed soon


@asynccontextmanager
async def served(app: Any = None):
    """The site, or another ASGI app, behind uvicorn with the settings of our workers."""
    config = configuration()
    if app is not None:
        config.app, config.lifespan = app, "off"
    listener = listen("127.0.0.1", 0, 1)[0]
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)  # inherited
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listener]))
    await until(lambda: server.started or serving.done())
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


class Spy:
    """A transport that tells what was written to it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.writes: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)

    def write(self, data: bytes) -> None:
        self.writes.append(bytes(data))
        self.transport.write(data)


@dataclass
class End:
    """The server's end of a connection."""

    outbox: Outbox
    protocol: Any  # uvicorn's
    spy: Spy


class Door:
    """An ASGI app that gives each connection an outbox, for the test to put to."""

    def __init__(self, url: str = "", *, is_direct: bool) -> None:
        self.url, self.is_direct = url, is_direct
        self._came: asyncio.Queue[End] = asyncio.Queue()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        spy = Spy(behind(send))
        outbox = Outbox(send, Connection(spy if self.is_direct else None))
        self._came.put_nowait(End(outbox, send.__self__, spy))
        while (await receive())["type"] != "websocket.disconnect":
            pass

    @asynccontextmanager
    async def client(self):
        """A client that reads no more than it is asked for, and the server's end of its line."""
        options = {"sock": self._line(), "max_queue": 1, "ping_interval": None}
        async with opened(self.url, "/", **options) as client:
            yield client, await self._came.get()

    @asynccontextmanager
    async def raw(self):
        """A client that keeps every byte, and the server's end of its line."""
        reader, writer = await asyncio.open_connection(sock=self._line())
        raw = Raw(reader, writer)
        try:
            await raw.open(self.url)
            yield raw, await self._came.get()
        finally:
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def _line(self) -> socket.socket:
        address, line = urlsplit(self.url), socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        line.connect((address.hostname, address.port))
        line.setblocking(False)
        return line


class Raw:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def open(self, url: str) -> None:
        self.protocol = ClientProtocol(parse_uri(url.replace("http", "ws")))
        self.protocol.send_request(self.protocol.connect())
        self.tell()
        self.protocol.receive_data(await self.reader.readuntil(b"\r\n\r\n"))

    def tell(self) -> None:
        """Send what the client has said."""
        self.writer.writelines(self.protocol.data_to_send())

    async def rest(self) -> bytes:
        """All bytes that come until the server closes the connection."""
        async with asyncio.timeout(10):
            return await self.reader.read()
