"""One room's log as one process knows it: its lines in the order of `seq`, each handed out once.

What a feed is told (by this process's writer, by the channel layer) is a hint: it may come late,
twice, or not at all. A hole is filled from the database, which is the truth; if that has gone back
(rewinds.py), the feed does as well.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from core import metrics
from core.postgresql.reads import Unavailable
from messaging.live import entries
from messaging.live.entries import Entry, EntryBatch
from messaging.live.source import Source
from messaging.log import LastLine

logger = logging.getLogger(__name__)

RING = 256  # lines kept ready for those who come back
JOINED_SECONDS = 1.0  # what they missed is kept so long, joined for all who missed the same
JOINED_MAX = 16  # such ends of the ring
EARLY_MAX = 2_000  # lines held that came before their turn
EARLY_SECONDS = 0.05  # how long a line that came too early waits for the ones before it
DELIVERIES = metrics.counter(
    "chattalk_deliveries_total", "Lines of rooms that were handed to sockets."
)


class Listener(Protocol):
    """Gets each line of a feed, in order, those that came together at once."""

    def take(self, lines: EntryBatch) -> None: ...


class Feed:
    """One room's log as this process knows it."""

    def __init__(
        self,
        room_id: int,
        source: Source,
        handed_out: Callable[[EntryBatch], None] = lambda lines: None,
    ) -> None:
        self.room_id = room_id
        self.head = -1  # the last line handed out; -1 until the log was looked at
        self.at: datetime | None = None  # when that was written; None if that is not known
        self.listeners: set[Listener] = set()
        self.lost = range(0)  # lines that were handed out, and are not the log's any more
        self._lost_at: datetime | None = None  # when the last of these was written
        self._source = source
        self.doubt: Callable[[], None] = lambda: None  # a number came again for another line
        self._handed_out = handed_out  # to all listeners there are
        self._ring: deque[Entry] = deque(maxlen=RING)
        self._joined: dict[int, EntryBatch] = {}  # by the line before them
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
                self.head, self.at = await self._source.read_head(self.room_id)
                self._hand_out_early()

    def told(self, lines: Sequence[Entry]) -> None:
        """Lines that this process wrote, or another one tells. What was written before a failover
        lost it may be told late."""
        if self._lost_at is not None:
            lines = [line for line in lines if line.event.at > self._lost_at]
        self.take(lines)

    def take(self, lines: Sequence[Entry]) -> None:
        """Lines from anywhere, in any order, any number of times."""
        for line in lines:
            if line.seq > self.head:
                self._early[line.seq] = line
            elif (kept := self._kept(line.seq)) and kept.event.at != line.event.at:
                self.doubt()
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
            self.at = lines[-1].event.at
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
                after = self.head
                events = await self._source.read(self.room_id, after)
                if self.head < after:  # the log has gone back meanwhile
                    continue
                if not events:
                    return
                if events[0].seq > self.head + 1:  # pruned before we came to read it
                    self.head = events[0].seq - 1
                    self._forget()
                self.take([entries.line(event) for event in events])
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
            self._forget()

    def _forget(self) -> None:
        self._ring.clear()
        self._joined.clear()

    def replay(self, after: int) -> list[Entry] | None:
        """The lines after that one, if all of them are kept ready."""
        if after >= self.head:
            return []
        if not self._ring or self._ring[0].seq > after + 1:
            return None
        return [line for line in self._ring if line.seq > after]

    def missed(self, after: int) -> EntryBatch | None:
        """The same, joined once for all who ask in the next moment; None if there are none, too."""
        kept = self._joined.get(after)
        if kept is not None and kept.last == self.head:
            return kept
        lines = self.replay(after)
        if not lines:
            return None
        if not self._joined:
            asyncio.get_running_loop().call_later(JOINED_SECONDS, self._joined.clear)
        elif len(self._joined) >= JOINED_MAX:
            del self._joined[next(iter(self._joined))]
        self._joined[after] = EntryBatch(lines)
        return self._joined[after]

    async def between(self, after: int, head: int, most: float = float("inf")) -> list[Entry]:
        """The lines after `after` up to `head`, from the database; where they are more than so many
        bytes, only the first of them, and those are more as well. Raises Unavailable.

        Those near the end are then kept ready: after a restart everybody comes back at once.
        """
        if self.head - after > RING:
            return await self._fetch(after, head, most)
        async with self._recalling:
            lines, lost = self.replay(after), self.lost
            if lines is None:
                lines = await self._fetch(after, head, most)
                if self.lost is not lost:  # they may be of before that
                    raise Unavailable
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
        while (
            after < head and most >= 0 and (events := await self._source.read(self.room_id, after))
        ):
            page = [entries.line(event) for event in events]
            lines += page
            after = page[-1].seq
            most -= sum(one.frame.size for one in page)
        return lines

    # --- whether the log is still the one that was handed out -----------------------------------

    @property
    def last_line(self) -> LastLine:
        return LastLine(self.head, self.at)

    def _kept(self, seq: int) -> Entry | None:
        """That line, if it is kept ready."""
        first = self._ring[0].seq if self._ring else self.head + 1
        return self._ring[seq - first] if first <= seq <= self.head else None

    async def kept(self, line: LastLine) -> int | None:
        """Up to where the log is the one that somebody has up to that line; None if to there, as
        far as can be told. Raises Unavailable."""
        if line.at is None:  # all that can be told is what happened before our eyes
            return self.lost.start - 1 if line.seq in self.lost else None
        if line.seq == self.head and line.at == self.at or line.seq == 0:
            return None
        if 0 < line.seq <= self.head and self.head - line.seq < RING:
            await self.between(line.seq - 1, self.head)
            if (here := self._kept(line.seq)) and here.event.at == line.at:
                return None
        return await self._source.read_kept(self.room_id, line)

    def go_back(self, kept: int, end: LastLine) -> None:
        """The log goes on after `kept`, and ends there by now. What was handed out after it is
        lost; so is what was lost at an earlier time."""
        before = self.lost or range(kept + 1, kept + 1)
        self.lost = range(min(before.start, kept + 1), max(before.stop, self.head + 1))
        self._lost_at = self.at or self._lost_at
        self._early.clear()
        self._forget()
        self.head, self.at = max(kept, end.seq - RING), end.at if kept == end.seq else None
        self.heard_of(end.seq)

    def close(self) -> None:
        for pending in (self._timer, self._filling):
            if pending is not None:
                pending.cancel()
