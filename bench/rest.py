"""HTTP on a connection that stays open: the little that a thousand people on one core need."""

import asyncio
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

NONE: Mapping[str, str] = MappingProxyType({})
HEADERS_END = b"\r\n\r\n"


class Http:
    """One person's connection, as a browser keeps it."""

    def __init__(self, port: int) -> None:
        self.port, self.cookie = port, ""

    async def open(self) -> None:
        self._in, self._out = await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = NONE
    ) -> tuple[int, bytes, bytes]:
        """Status, headers as they came, body."""
        if self._in.at_eof():  # the server closed what was idle for a while; browsers open anew
            await self.open()
        text = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(text)}\r\n"
        head += "Content-Type: application/json\r\n" if text else ""
        head += f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._out.write(head.encode() + b"\r\n" + text)
        told = await self._in.readuntil(HEADERS_END)
        length = told.lower().partition(b"content-length:")[2].split(b"\r", 1)[0]
        return int(told.split(b" ", 2)[1]), told, await self._in.readexactly(int(length or 0))

    def close(self) -> None:
        self._out.close()
