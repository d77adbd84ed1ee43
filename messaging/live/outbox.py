"""What waits to be sent to one socket: in order, bounded in bytes, never in another's way.

All that is put for a socket within one turn of the event loop is written together when the turn
ends: no timer, so nothing waits longer, and many messages cost one write. What goes to a whole room
was joined for all of it and is passed on at once, after what was put before it.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Awaitable, Callable, KeysView
from itertools import filterfalse, repeat
from typing import Any
from weakref import WeakKeyDictionary

from core import asking
from messaging.live import close_codes
from messaging.live.close_codes import Between, CloseCode
from messaging.live.packets import Packet, together
from messaging.live.transport import WAITING_MAX, Connection

logger = logging.getLogger(__name__)

FAREWELL_SECONDS = 5.0  # for a slow reader to take its close frame, then the line is cut


class Turn:
    """The outboxes that were put to in this turn of their loop."""

    def __init__(self) -> None:
        self._boxes: list[Outbox] = []
        self.flat: dict[int, Outbox] = {}  # by the lines that `write_to_all` may have
        self.aside: dict[int, Outbox] = {}  # those of them that are not to be written to just now

    def add(self, box: "Outbox") -> None:
        if not self._boxes:
            asyncio.get_running_loop().call_soon(self._end)
        self._boxes.append(box)

    def _end(self) -> None:
        boxes, self._boxes = self._boxes, []
        for box in boxes:
            try:
                box.flush()
            except Exception:  # one that stumbles must not cost the others their frames
                box.stumbled()


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, Turn] = WeakKeyDictionary()


def _turn() -> Turn:
    loop = asyncio.get_running_loop()
    return _turns.get(loop) or _turns.setdefault(loop, Turn())


class Outbox:
    """Belongs to one socket. `send` is its ASGI send, for what the line does not take directly."""

    __slots__ = ("__weakref__", "_asking", "_closer", "_flat", "_given", "_is_full", "_is_leaving",
                 "_is_over", "_line", "_plain", "_put", "_send", "_taken_before", "_turn",
                 "closed")  # fmt: skip

    def __init__(self, send: Callable[[dict[str, Any]], Awaitable[None]], line: Connection) -> None:
        self._send = send
        self._line = line
        self._turn = _turn()
        self._asking = asking.now()  # whose it is, on the log
        self._put: list[Packet] = []  # in this turn
        self._plain = _Plain(send, self._gone) if not line.is_direct else None
        self._given = self._taken_before = 0  # bytes
        self.closed = self._is_full = self._is_over = False
        self._flat: int | None = None  # its line, if it may be written flat
        self._is_leaving = False  # its close frame is still to be sent

    def put(self, packet: Packet) -> None:
        if self.closed:
            return
        if not self._put:
            self._turn.add(self)
            if self._flat is not None:
                self._turn.aside[self._flat] = self
        self._put.append(packet)

    def written_flat(self) -> int | None:
        """Its line, where `write_to_all` may have it from now on. Not while one that is over has
        the same descriptor, and listens still."""
        if self._flat is None:
            line = self._line.told_by(self)
            if line is not None and line not in self._turn.flat:
                self._turn.flat[line], self._flat = self, line
                self._step_aside()
        return self._flat

    def is_full(self, so_it_is: bool) -> None:
        """The server tells it of the line."""
        self._is_full = so_it_is
        self._step_aside()

    def is_over(self) -> None:
        """The server tells it that the line has seen its last byte, or that it is gone."""
        self._is_over = True
        self._step_aside()

    def _step_aside(self) -> None:
        """Unless there is nothing that must come before, or be looked at."""
        if self._flat is None:
            return
        if self._put or self._is_full or self._is_over or self.closed:
            self._turn.aside[self._flat] = self
        else:
            self._turn.aside.pop(self._flat, None)

    def end(self) -> None:
        """Nothing is sent any more, and nobody asks."""
        self.closed = True
        self._step_aside()

    def release(self) -> None:
        """Nobody writes flat to its line any more: its descriptor may be another's."""
        if self._flat is not None:
            self._turn.aside.pop(self._flat, None)
            del self._turn.flat[self._flat]
            self._flat = None

    def send_counted(self, packet: Packet) -> None:
        """`send_now`, of what `check` is told."""
        self._given -= packet.size
        self.send_now(packet)

    def send_now(self, packet: Packet) -> None:
        """What goes to a whole room: joined already, it need not wait for the turn's end."""
        if self._put or self._plain is not None:
            self.put(packet)
        elif not self.closed:
            try:
                self._write(packet.wire)
            except Exception:  # nor here, where its caller goes through the room
                self.stumbled()

    def send_rest(self, rest: bytes) -> None:
        """What the line did not take of what `write_to_all` wrote to it."""
        try:
            self._line.write(rest)
        except Exception:
            self.stumbled()

    def stumbled(self) -> None:
        """It may have missed something: it comes back and resumes."""
        logger.exception("an outbox stumbled", extra=self._named())
        self.close(CloseCode.FAULT)

    def _named(self) -> dict[str, str]:
        return {"socket": self._asking.id} if self._asking else {}

    def flush(self) -> None:
        """Write what was put."""
        put = self._put
        if self.closed or not put:
            return
        self._put = []
        self._step_aside()
        if self._plain is None:
            self._write(put[0].wire if len(put) == 1 else b"".join([one.wire for one in put]))
        else:
            packet = together(put)
            self._given += packet.size
            if self._plain.waiting > WAITING_MAX:
                self.close(CloseCode.TOO_SLOW)
            else:
                self._plain.put(packet)

    def _write(self, frames: bytes) -> None:
        """A client that does not take what was written before is closed, once that is too much."""
        size = len(frames)
        self._given += size
        if self._line.write(frames) - size > WAITING_MAX:
            self.close(CloseCode.TOO_SLOW)

    def _unsent(self) -> int:
        return self._line.unread() if self._plain is None else self._plain.waiting

    def _gone(self) -> None:
        self.closed = True
        self._line.cut()

    @property
    def is_busy(self) -> bool:
        return bool(self._put) or self._is_leaving or self._unsent() > 0

    def check(self, written: int = 0) -> None:
        """At each heartbeat: who has not taken a single byte since the last one is too slow.
        `written`: bytes to it by `write_to_all`, ever."""
        unsent = self._unsent()
        taken = self._given + written - unsent
        if unsent and taken == self._taken_before:
            self.close(CloseCode.TOO_SLOW)
        self._taken_before = taken

    def close(self, code: CloseCode, between: Between | None = None) -> None:
        """Close after what was sent so far: what still waits is for the resume. `between`: when to
        come back, where that is another time than the usual one."""
        if self.closed:
            return
        if code == CloseCode.TOO_SLOW:
            waited = self._unsent()
            logger.info("a socket was too slow: %s bytes waited", waited, extra=self._named())
            self._put.clear()
            if self._plain is not None:
                self._plain.clear()
        self.flush()
        if self.closed:  # what was flushed was too much
            return
        self.closed = self._is_leaving = True
        self._step_aside()
        self._closer = asyncio.get_running_loop().create_task(self._say_goodbye(code, between))

    async def _say_goodbye(self, code: CloseCode, between: Between | None) -> None:
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                if self._plain is not None:
                    await self._plain.sent()
                await self._send(close_codes.close(code, between))
            self._is_leaving = False
            await asyncio.sleep(FAREWELL_SECONDS)  # for the client to say goodbye, too
        except (OSError, RuntimeError) as error:  # it takes nothing, or was gone already
            logger.debug("no goodbye: %r", error)
        finally:
            self._is_leaving = False
            self._line.cut()


def line_of(put: Callable[[Packet], None]) -> int | None:
    """The line of the outbox whose `send_now` that is, if it may be written flat."""
    box = getattr(put, "__self__", None)
    if isinstance(box, Outbox) and getattr(put, "__func__", None) is Outbox.send_now:
        return box.written_flat()
    return None


def write_to_all(lines: KeysView[int], packet: Packet) -> None:
    """`send_counted` for each, of outboxes that have nothing to say about it in most cases."""
    turn, wire = _turn(), packet.wire
    apart = turn.aside.keys() & lines
    taken: list[int] = []  # bytes, by one line after the other
    ready = filterfalse(apart.__contains__, lines)
    while True:
        try:
            taken.extend(map(os.write, ready, repeat(wire)))
            break
        except OSError:  # it is full, or over
            taken.append(0)
    if taken.count(len(wire)) != len(taken):
        for line, size in zip(filterfalse(apart.__contains__, lines), taken, strict=True):
            if size != len(wire):
                turn.flat[line].send_rest(wire[size:])
    for line in apart:
        turn.aside[line].send_counted(packet)


class _Plain:
    """The way of plain ASGI: a message after the other, each waited for."""

    def __init__(
        self, send: Callable[[dict[str, Any]], Awaitable[None]], gone: Callable[[], None]
    ) -> None:
        self._send = send
        self._gone = gone
        self._queue: deque[Packet] = deque()
        self._sender: asyncio.Task[None] | None = None
        self.waiting = 0  # bytes, with what is being sent

    def put(self, packet: Packet) -> None:
        self._queue.extend(packet.singles)
        self.waiting += packet.size
        if self._sender is None:
            self._sender = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        try:
            while self._queue:
                packet = self._queue.popleft()
                await self._send({"type": "websocket.send", "text": packet.text})
                self.waiting -= packet.size
        except (OSError, RuntimeError):  # the client went, or the server has given up on it
            self._gone()
        finally:
            self._sender = None

    def clear(self) -> None:
        self._queue.clear()

    async def sent(self) -> None:
        if self._sender is not None:
            await asyncio.wait([self._sender])
