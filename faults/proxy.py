"""A TCP proxy in front of a server, as bad a line as is asked for."""

import asyncio
import random
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

CHUNK = 64 * 1024  # bytes
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST
Upstream = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@dataclass
class Line:
    """How bad it is. Without anything said it passes all on at once."""

    delay: float = 0  # seconds, a random time up to this for each piece; they stay in order
    drip: int = 0  # bytes a second, 0 for as fast as may be
    cut_up: int | None = None  # bytes to the server from now on, then a reset
    cut_down: int | None = None  # bytes to the client, then a reset


class Connection:
    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client, self.server = client, server
        self.up = self.down = 0  # bytes passed on since the line was changed
        self.is_half_closed = False

    def reset(self) -> None:
        for writer in (self.client, self.server):
            line = writer.get_extra_info("socket")
            # A unix socket has no such option, a closed one no line or no descriptor.
            with suppress(OSError, AttributeError, ValueError):
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()

    def half_close(self) -> None:
        """Towards the server: nothing more comes. What it says is passed on."""
        if not self.is_half_closed and self.server.can_write_eof():
            self.is_half_closed = True
            self.server.write_eof()


class Proxy:
    """Its `port` is of 127.0.0.1. What is set holds for connections that are open, too."""

    def __init__(self, upstream: Upstream, seed: int = 0) -> None:
        self._upstream = upstream
        self._random = random.Random(seed)
        self.line = Line()
        self._flows = asyncio.Event()
        self._flows.set()
        self.connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=2048)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self.reset()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- what it does to the line -----------------------------------------------------------------

    def be(self, **line: float | int) -> None:
        self.line = Line(**line)  # type: ignore[arg-type]
        for connection in self.connections:
            connection.up = connection.down = 0

    def black_hole(self) -> None:
        """Connections are taken and stay, and nothing comes through until `mend`, no end either."""
        self._flows.clear()

    def mend(self) -> None:
        self.line = Line()
        self._flows.set()

    def reset(self) -> int:
        """All connections at once; says how many."""
        broken = len(self.connections)
        for connection in tuple(self.connections):
            connection.reset()
        self.connections.clear()
        return broken

    def half_close(self) -> None:
        """Towards the server, all connections."""
        for connection in self.connections:
            connection.half_close()

    # --- inside -----------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._flows.wait()
            await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await self._upstream()
        connection = Connection(writer, to_server)
        self.connections.add(connection)
        pumps = [
            asyncio.ensure_future(self._pump(connection, reader, to_server, up=True)),
            asyncio.ensure_future(self._pump(connection, from_server, writer, up=False)),
        ]
        try:
            await asyncio.gather(*pumps)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self.connections.discard(connection)
            writer.close()
            to_server.close()

    async def _pump(
        self,
        connection: Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        up: bool,
    ) -> None:
        while data := await self._read(reader):
            while data:
                size = max(self.line.drip // 10, 1) if self.line.drip else len(data)
                piece, data = data[:size], data[size:]
                await self._take_time(len(piece))
                if up and connection.is_half_closed:
                    continue
                if not await self._pass_on(connection, piece, writer, up=up):
                    return
        if not (up and connection.is_half_closed):
            with suppress(OSError, RuntimeError):
                writer.write_eof()

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        """What comes next; the end, in whichever way, does not get through a black hole."""
        try:
            data = await reader.read(CHUNK)
        except OSError:
            await self._flows.wait()
            raise
        await self._flows.wait()
        return data

    async def _take_time(self, size: int) -> None:
        pause = self._random.uniform(0, self.line.delay) if self.line.delay else 0.0
        pause += size / self.line.drip if self.line.drip else 0.0
        if pause:
            await asyncio.sleep(pause)
        await self._flows.wait()

    async def _pass_on(
        self, connection: Connection, data: bytes, writer: asyncio.StreamWriter, *, up: bool
    ) -> bool:
        """False once the connection was cut, right behind the last byte that goes through."""
        passed = connection.up if up else connection.down
        limit = self.line.cut_up if up else self.line.cut_down
        if up:
            connection.up += len(data)
        else:
            connection.down += len(data)
        rest = len(data) + 1 if limit is None else limit - passed
        is_cut = rest <= len(data)
        writer.write(data[: max(rest, 0)])
        if is_cut:
            writer.transport.set_write_buffer_limits(0)  # drain is: it is all on its way
        await writer.drain()
        if is_cut:
            connection.reset()
        return not is_cut
