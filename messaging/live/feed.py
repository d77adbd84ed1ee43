"""One room's log as one process knows it: its lines in the order of `seq`, each handed out once.

What a feed is told (by this process's writer, by the channel layer) is a hint: it may come late,
twice, or not at all. A hole is filled from the database, which is the truth.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct

from core import metrics
from core.postgresql.reads import Unavailable
from messaging.live.packets import Packet, packet, together
from messaging.log.event import Event, decode, encode
from messaging.log.kinds import TAKES_SEAT

logger = logging.getLogger(__name__)

RING = 256  # lines kept ready for those who come back
EARLY_MAX = 2_000  # lines held that came before their turn
EARLY_SECONDS = 0.05  # how long a line that came too early waits for the ones before it
DELIVERIES = metrics.counter(
    "chattalk_deliveries_total", "Lines of rooms that were handed to sockets."
)


class Entry(Struct, frozen=True, eq=False):
    """An event and its frame. It equals only itself, so what is made of it can be kept by it."""

    event: Event
    frame: Packet

    @property
    def seq(self) -> int:
        return self.event.seq


def line(event: Event) -> Entry:
    return Entry(event, packet(encode(event)))


def by_room(events: list[Event]) -> dict[int, list[Entry]]:
    rooms: dict[int, list[Entry]] = {}
    for event in events:
        rooms.setdefault(event.room, []).append(line(event))
    return rooms


class EntryBatch:
    """Lines in a row, handed out together: their frames are joined once for all who get them."""

    __slots__ = ("all", "first", "has_leaves", "last", "packet")

    def __init__(self, lines: Sequence[Entry]) -> None:
        self.all = lines
        self.first, self.last = lines[0].seq, lines[-1].seq
        self.has_leaves = any(line.event.kind in TAKES_SEAT for line in lines)
        self.packet = together([line.frame for line in lines])


def told_of(lines: Sequence[Entry]) -> dict[str, Any]:
    """What the other processes get of them, over the channel layer: the frames, encoded once."""
    return {"type": "lines", "frames": [line.frame.wire for line in lines]}


def heard_in(message: dict[str, Any]) -> list[Entry]:
    """The lines that another process told, whole: event and frame."""
    frames = map(Packet, message["frames"])
    return [Entry(decode(frame.payload), frame) for frame in frames]


class Listener(Protocol):
    """Gets each line of a feed, in order, those that came together at once."""

    def take(self, lines: EntryBatch) -> None: ...


class Feed:
    """One room's log as this process knows it."""

    def __init__(
        self,
        room_id: int,
        read: Callable[[int, int], Awaitable[list[Event]]],
        read_head: Callable[[int], Awaitable[int]],
        handed_out: Callable[[EntryBatch], None] = lambda lines: None,
    ) -> None:
        self.room_id = room_id
        self.head = -1  # the last line handed out; -1 until the log was looked at
        self.listeners: set[Listener] = set()
        self._read = read  # (room, after) -> some events after it
        self._read_head = read_head
        self._handed_out = handed_out  # to all listeners there are
        self._ring: deque[Entry] = deque(maxlen=RING)
        self._names = 0
        self._early: dict[int, Entry] = {}
        self._filling: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._opening = asyncio.Lock()
        self._recalling = asyncio.Lock()

    async def open(self) -> None:
        """Find the end of the log; what comes meanwhile waits. Raises Unavailable."""
        async with self._opening:
            if self.head < 0:
                self.head = await self._read_head(self.room_id)
                self._hand_out_early()

    def take(self, lines: Sequence[Entry]) -> None:
        """Lines from anywhere, in any order, any number of times."""
        for line in lines:
            if line.seq > self.head:
                self._early[line.seq] = line
        if len(self._early) > EARLY_MAX:  # far behind: the database has them, memory is bounded
            self._early.clear()
            self.heard_of(line.seq)
        if self.head >= 0:
            self._hand_out_early()

    def _hand_out_early(self) -> None:
        lines = []
        while next_line := self._early.pop(self.head + 1, None):
            self.head = next_line.seq
            lines.append(next_line)
        self._ring += lines
        if lines:
            self._tell(EntryBatch(lines))
        if self._early:
            self._early = {seq: line for seq, line in self._early.items() if seq > self.head}
        self._wait_for_the_late()

    def _tell(self, lines: EntryBatch) -> None:
        listeners = tuple(self.listeners)
        for listener in listeners:
            try:
                listener.take(lines)
            except Exception:  # one that stumbles must not cost the others the lines
                logger.exception("room %s: a listener stumbled over %s", self.room_id, lines.first)
        DELIVERIES.value += len(listeners) * len(lines.all)
        self._handed_out(lines)

    def _wait_for_the_late(self) -> None:
        if self._early and self._timer is None and self._filling is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(EARLY_SECONDS, self._fill_if_early)

    def _fill_if_early(self) -> None:
        self._timer = None
        if self._early and self._filling is None:
            self._filling = asyncio.get_running_loop().create_task(self._fill(max(self._early)))

    def heard_of(self, head: int) -> None:
        """The log is known to reach this far: fetch what is missing."""
        if head > self.head >= 0 and self._filling is None:
            self._filling = asyncio.get_running_loop().create_task(self._fill(head))

    async def reach(self, head: int) -> None:
        """Wait until lines up to `head` were handed out. Raises Unavailable."""
        while self.head < head:
            before, is_ours = self.head, self._filling is None
            if self._filling is None:
                self._filling = asyncio.get_running_loop().create_task(self._fill(head))
            await asyncio.wait([self._filling])
            if is_ours and self.head == before:
                raise Unavailable

    async def _fill(self, head: int) -> None:
        try:
            while self.head < head:
                events = await self._read(self.room_id, self.head)
                if not events:
                    return
                if events[0].seq > self.head + 1:  # pruned before we came to read it
                    self.head = events[0].seq - 1
                    self._ring.clear()
                self.take([line(event) for event in events])
        except Unavailable:
            logger.info("room %s: the hole after %s is filled later", self.room_id, self.head)
            self._early.clear()  # the next look at the heads finds them all
        finally:
            self._filling = None
        self._wait_for_the_late()

    def as_named(self, names: int) -> None:
        """Lines that were kept when somebody was called otherwise are read anew."""
        if names != self._names:
            self._names = names
            self._ring.clear()

    def replay(self, after: int) -> list[Entry] | None:
        """The lines after that one, if all of them are kept ready."""
        if after >= self.head:
            return []
        if not self._ring or self._ring[0].seq > after + 1:
            return None
        return [line for line in self._ring if line.seq > after]

    async def between(self, after: int, head: int, most: float = float("inf")) -> list[Entry]:
        """The lines after `after` up to `head`, from the database; where they are more than so many
        bytes, only the first of them, and those are more as well. Raises Unavailable.

        Those near the end are then kept ready: after a restart everybody comes back at once.
        """
        if self.head - after > RING:
            return await self._fetch(after, head, most)
        async with self._recalling:
            lines = self.replay(after)
            if lines is None:
                lines = await self._fetch(after, head, most)
                self._keep(lines)
        return [line for line in lines if line.seq <= head]

    def _keep(self, lines: list[Entry]) -> None:
        """Before those that are kept already, as far as they reach and there is room."""
        first = self._ring[0].seq if self._ring else self.head + 1
        older = [line for line in lines if line.seq < first]
        if older and older[-1].seq == first - 1:
            room = RING - len(self._ring)
            self._ring.extendleft(reversed(older[len(older) - min(room, len(older)) :]))

    async def _fetch(self, after: int, head: int, most: float) -> list[Entry]:
        lines: list[Entry] = []
        while after < head and most >= 0 and (events := await self._read(self.room_id, after)):
            page = [line(event) for event in events]
            lines += page
            after = page[-1].seq
            most -= sum(one.frame.size for one in page)
        return lines

    def close(self) -> None:
        for pending in (self._timer, self._filling):
            if pending is not None:
                pending.cancel()
