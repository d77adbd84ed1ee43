"""What waits to be sent to one socket: in order, bounded in bytes, never in another's way."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

log = logging.getLogger(__name__)

WAITING_MAX = 1024 * 1024  # bytes; a reader that is slower is closed and resumes
FAREWELL_SECONDS = 5.0  # for a slow reader to take its close frame, then the line is cut

TOO_SLOW = 4008


class Packet(NamedTuple):
    """A frame, encoded once for all who get it."""

    text: str
    size: int


def packet(text: str) -> Packet:
    return Packet(text, len(text) if text.isascii() else len(text.encode()))


class Outbox:
    """Belongs to one socket. `send` is its ASGI send, `cut` ends the connection at once."""

    def __init__(
        self, send: Callable[[dict[str, Any]], Awaitable[None]], cut: Callable[[], None]
    ) -> None:
        self._send = send
        self._cut = cut
        self._queue: deque[Packet] = deque()
        self._waiting = 0  # bytes, with what is being sent
        self._sender: asyncio.Task[None] | None = None
        self._sent = self._sent_before = 0  # frames
        self.closed = False

    def put(self, frame: Packet) -> None:
        if self.closed:
            return
        self._queue.append(frame)
        self._waiting += frame.size
        if self._waiting > WAITING_MAX:
            self.close(TOO_SLOW)
        elif self._sender is None:
            self._sender = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        try:
            while self._queue:
                frame = self._queue.popleft()
                await self._send({"type": "websocket.send", "text": frame.text})
                self._waiting -= frame.size
                self._sent += 1
        except (OSError, RuntimeError):  # the client went, or the server has given up on it
            self.closed = True
            self._cut()
        finally:
            self._sender = None

    @property
    def is_busy(self) -> bool:
        return self._sender is not None

    def check(self) -> None:
        """At each heartbeat: who has not taken a single frame since the last one is too slow."""
        if self._sender is not None and self._sent == self._sent_before:
            self.close(TOO_SLOW)
        self._sent_before = self._sent

    def close(self, code: int) -> None:
        """Close after what was sent so far: what still waits is for the resume."""
        if self.closed:
            return
        self.closed = True
        if code == TOO_SLOW:
            log.info("a socket was too slow: %s bytes waited", self._waiting)
            self._queue.clear()
        self._closer = asyncio.get_running_loop().create_task(self._say_goodbye(code))

    async def _say_goodbye(self, code: int) -> None:
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                if self._sender is not None:
                    await asyncio.wait([self._sender])
                await self._send({"type": "websocket.close", "code": code})
            await asyncio.sleep(FAREWELL_SECONDS)  # for the client to say goodbye, too
        except (OSError, RuntimeError) as error:  # it takes nothing, or was gone already
            log.debug("no goodbye: %r", error)
        finally:
            self._cut()
