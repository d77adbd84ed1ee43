"""A bare WebSocket on asyncio: thousands of them in one process. For peers and for other wires, for
what is counted in frames and bytes, and for who does what no client does: floods, or never comes
back.

Smaller and faster than a library, for it takes what our server sends and nothing else: whole text
messages without compression. Who only talks in a room takes the client that everybody has
(clients/python).
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any, cast

CONTINUED, TEXT, CLOSE, PING, PONG = 0, 1, 8, 9, 10
NORMALLY = (1000).to_bytes(2, "big")
NO_MASK = bytes(4)  # XOR with it changes nothing, which saves the work
HEAD_END = b"\r\n\r\n"


class Refused(ConnectionError):
    """The handshake was answered with something else."""


class Socket(asyncio.Protocol):
    """`heard(text)` is called for each message, `gone()` once when the connection ends."""

    def __init__(
        self, request: bytes, heard: Callable[[bytes], None], gone: Callable[[], None]
    ) -> None:
        self._request, self._heard, self._gone = request, heard, gone
        self._left = b""  # not a whole frame yet
        self.is_open = False
        self.code: int | None = None  # what the server closed it with, and why
        self.reason = ""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by name
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        data = self._left + data
        begin = 0 if self.is_open else self._take_answer(data)
        if self.is_open:
            begin = self._take_frames(data, begin)
        self._left = data[begin:]

    def _take_answer(self, data: bytes) -> int:
        end = data.find(HEAD_END)
        if end < 0:
            return 0
        if data.startswith(b"HTTP/1.1 101"):
            self.is_open = True
            self.opened.set_result(None)
        else:
            self.opened.set_exception(Refused(data.split(b"\r\n")[0].decode()))
            self._transport.close()
        return end + len(HEAD_END)

    def _take_frames(self, data: bytes, begin: int) -> int:
        """The whole ones; says where the rest begins."""
        while len(data) - begin >= 2:
            size, start = data[begin + 1], begin + 2
            if size > 125:
                long = 2 if size == 126 else 8
                size, start = int.from_bytes(data[start : start + long], "big"), start + long
            if start + size > len(data):
                break
            self._take(data[begin] & 15, data[start : start + size])
            begin = start + size
        return begin

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == TEXT:
            self._heard(payload)
        elif opcode == PING:
            self._write(PONG, payload)
        elif opcode == CLOSE:
            self.code = int.from_bytes(payload[:2], "big")
            self.reason = payload[2:].decode(errors="replace")
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if not self.opened.done():
            self.opened.set_exception(error or Refused("closed before it answered"))
        else:
            self._gone()

    def say(self, text: str) -> None:
        if self.is_open:
            self._write(TEXT, text.encode())

    def frame(self, **fields: Any) -> None:
        self.say(json.dumps(fields))

    def _write(self, opcode: int, payload: bytes) -> None:
        if self._transport.is_closing():
            return
        size = len(payload)
        length = bytes([128 | size]) if size < 126 else bytes([128 | 126]) + size.to_bytes(2, "big")
        self._transport.write(bytes([128 | opcode]) + length + NO_MASK + payload)

    def say_goodbye(self) -> None:
        self._write(CLOSE, NORMALLY)
        self._transport.close()

    def close(self) -> None:
        """Without a word, as a phone in a tunnel."""
        self._transport.abort()


async def connect(
    port: int,
    path: str,
    heard: Callable[[bytes], None],
    gone: Callable[[], None] = lambda: None,
    *,
    session: str = "",
    cookie: str = "",
    source: str = "",
    protocols: str = "",
) -> Socket:
    """Once the server has agreed; signed in by a session, by another cookie, or by what is offered
    as `protocols`.
    `source` is the address that we come from. Raises ConnectionError."""
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Origin: http://127.0.0.1:{port}"]
    lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    cookie = cookie or f"sessionid={session}" * bool(session)
    lines += [f"Cookie: {cookie}"] * bool(cookie)
    lines += [f"Sec-WebSocket-Protocol: {protocols}"] * bool(protocols)
    request = "\r\n".join([*lines, "", ""]).encode()
    loop = asyncio.get_running_loop()
    _, socket = await loop.create_connection(
        lambda: Socket(request, heard, gone), "127.0.0.1", port,
        local_addr=(source, 0) if source else None,
    )  # fmt: skip
    try:
        await socket.opened
    except BaseException:  # no answer, or whoever asked waits no longer
        socket.close()
        raise
    return socket
