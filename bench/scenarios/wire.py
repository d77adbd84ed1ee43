"""The little that the load needs to speak for a thousand people on one core: HTTP on a connection
that stays open, and a WebSocket that looks at what it hears without decoding it."""

import asyncio
import base64
import json
import os
from asyncio import Future
from collections.abc import Callable
from typing import Any

HEADERS_END = b"\r\n\r\n"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Http:
    """One person's connection, as a browser keeps it."""

    def __init__(self, port: int) -> None:
        self.port, self.cookie = port, ""

    async def open(self) -> None:
        self._in, self._out = await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes, bytes]:
        """Status, headers in lower case, body."""
        if (
            self._in.at_eof()
        ):  # the server closes what was idle for a while; so do browsers open anew
            await self.open()
        text = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(text)}\r\n"
        head += "Content-Type: application/json\r\n" if text else ""
        head += f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        self._out.write(head.encode() + b"\r\n" + text)
        told = await self._in.readuntil(HEADERS_END)
        length = told.lower().partition(b"content-length:")[2].split(b"\r", 1)[0]
        return int(told.split(b" ", 2)[1]), told, await self._in.readexactly(int(length or 0))

    def close(self) -> None:
        self._out.close()


class Socket(asyncio.Protocol):
    def __init__(self, path: str, heard: Callable[[bytes], None]) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        self._hello = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
        )
        self._heard, self._rest, self._is_open = heard, b"", False
        self.over: Future[str] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._hello.encode())

    def data_received(self, data: bytes) -> None:
        self._rest += data
        if not self._is_open:
            head, end, rest = self._rest.partition(HEADERS_END)
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self._end(head.split(b"\r", 1)[0].decode())
            self._is_open, self._rest = True, rest
        self._read()

    def _read(self) -> None:
        data, at = self._rest, 0
        while len(data) - at >= 2:
            size, begins = data[at + 1], at + 2
            if size == 126:
                size, begins = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif size == 127:
                size, begins = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            if begins > len(data) or len(data) < begins + size:
                break
            self._take(data[at] & 15, data[begins : begins + size])
            at = begins + size
        self._rest = data[at:]

    def _take(self, kind: int, content: bytes) -> None:
        if kind == TEXT:
            self._heard(content)
        elif kind == PING:
            self._frame(PONG, content)
        elif kind == CLOSE:
            self._end(f"closed with {int.from_bytes(content[:2], 'big')}")

    def send(self, text: str) -> None:
        self._frame(TEXT, text.encode())

    def _frame(self, kind: int, content: bytes) -> None:
        """Masked by zeros: it is the same length and the same work for the server."""
        size = len(content)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        self._transport.write(bytes([0x80 | kind]) + length + bytes(4) + content)

    def close(self) -> None:
        self._frame(CLOSE, (1000).to_bytes(2, "big"))
        self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._end(str(error or "the connection ended"))

    def _end(self, why: str) -> None:
        if not self.over.done():
            self.over.set_result(why)
