"""One room's log as one process knows it: its lines in the order of `seq`, each handed out once.

What a feed is told (by this process's writer, by the channel layer) is a hint: it may come late,
twice, or not at all. A hole is filled from the database, which is the truth; if that has gone back
(rewinds.py), the feed does as well.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from operator import attrgetter

from core import metrics
from core.postgresql.reads import Unavailable
from messaging.live import entries, ring
from messaging.live.crowd import Crowd
from messaging.live.entries import Entry, EntryBatch
from messaging.live.lateness import Lateness
from messaging.live.ring import Ring
from messaging.live.source import Source
from messaging.log import LastLine

logger = logging.getLogger(__name__)

JOINED_SECONDS = 1.0  # what they missed is kept so long, joined for all who missed the same
JOINED_MAX = 16  # such ends of the ring
EARLY_MAX = 2_000  # lines held that came before their turn
EARLY_SECONDS = 0.05, 1.0  # how long a line that came too early waits for the ones before it
EARLY_LAGS = 5.0  # where the loop is late, so many times that besides: so are others
DELIVERIES = metrics.counter(
    "chattalk_deliveries_total", "Lines of rooms that were handed to sockets."
)


_last = attrgetter("last")


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
        self.listeners = Crowd()
        self._heard_head = 0  # so far the log reaches at least, as we were told
        self.lost = range(0)  # lines that were handed out, and are not the log's any more
        self._lost_at: datetime | None = None  # when the last of these was written
        self._source = source
        self.lag = Lateness()  # of the loop
        self.doubt: Callable[[], None] = lambda: None  # a number came again for another line
        self._handed_out = handed_out  # to all listeners there are
        self._ring = Ring()
        self._joined: dict[int, EntryBatch] = {}  # by the line before them
        self._names = 0
        self._early: dict[int, EntryBatch] = {}  # by their first line
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
                self.heard_of(self._heard_head)  # it may have grown since it was read

    def told(self, batches: Sequence[EntryBatch]) -> None:
        """Lines that this process wrote, or another one tells. What was written before a failover
        lost it may be told late."""
        if self._lost_at is not None and any(each.began <= self._lost_at for each in batches):
            lines = [line for each in batches for line in each.all]
            self.take([line for line in lines if line.event.at > self._lost_at])
        else:
            self._take(batches)

    def take(self, lines: Sequence[Entry]) -> None:
        """Lines from anywhere, in any order, any number of times."""
        self._take(entries.in_rows(lines))

    def _take(self, batches: Sequence[EntryBatch]) -> None:
        if not self._early and len(batches) == 1 and batches[0].first == self.head + 1 > 0:
            self._hand_out(batches[0])  # what comes next, as nearly always
            return
        for each in batches:
            if each.last > self.head:
                self._early[each.first] = max(each, self._early.get(each.first, each), key=_last)
            self._compare(each)
        if self.head >= 0:
            self._hand_out_early()
        if sum(each.many for each in self._early.values()) > EARLY_MAX:
            self._early.clear()  # far behind: the database has them, memory is bounded
            self.heard_of(max(map(_last, batches)))

    def _compare(self, lines: EntryBatch) -> None:
        """A line that was handed out before should be the same one. So are those before it then."""
        seq = min(lines.last, self.head)
        if lines.first <= seq and (kept := self._ring.line(seq)):
            at = lines.ended if seq == lines.last else lines.line(seq).event.at
            if kept.event.at != at:
                self.doubt()

    def _hand_out_early(self) -> None:
        batches = []
        while lines := self._next():
            self.head = lines.last
            batches.append(lines)
        if batches:
            self._hand_out(entries.joined(batches))
        self._wait_for_the_late()

    def _hand_out(self, lines: EntryBatch) -> None:
        self.head, self.at = lines.last, lines.ended
        self._ring.add(lines)
        DELIVERIES.value += len(self.listeners) * lines.many
        self.listeners.tell(self.room_id, lines)
        self._handed_out(lines)

    def _next(self) -> EntryBatch | None:
        """What comes after the last line that was handed out, if it is here."""
        lines = self._early.pop(self.head + 1, None)
        if lines is None and self._early and min(self._early) <= self.head:
            # Of what the database or another batch has brought a part is here twice.
            older = [self._early.pop(seq) for seq in sorted(self._early) if seq <= self.head]
            lines = max(older, key=_last)
            lines = lines.after(self.head) if lines.last > self.head else self._next()
        return lines

    def _wait_for_the_late(self) -> None:
        if self._early and self._timer is None and self._filling is None:
            loop = asyncio.get_running_loop()
            least, most = EARLY_SECONDS
            patience = min(least + EARLY_LAGS * self.lag.seconds, most)
            self._timer = loop.call_later(patience, self._fill_if_early)

    def _fill_if_early(self) -> None:
        self._timer = None
        if self._early:
            self.heard_of(max(map(_last, self._early.values())))

    def heard_of(self, head: int) -> None:
        """The log is known to reach this far: fetch what is missing."""
        self._heard_head = max(head, self._heard_head)
        if self._heard_head > self.head >= 0 and self._filling is None:
            self._filling = asyncio.get_running_loop().create_task(self._fill())

    async def reach(self, head: int) -> None:
        """Wait until lines up to `head` were handed out. Raises Unavailable."""
        while self.head < head:
            before, is_ours = self.head, self._filling is None
            self.heard_of(head)
            assert self._filling is not None
            await asyncio.wait([self._filling])
            if is_ours and self.head == before:
                raise Unavailable

    async def _fill(self) -> None:
        try:
            while self.head < self._heard_head:
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
        return [] if after >= self.head else self._ring.after(after)

    def missed(self, after: int) -> EntryBatch | None:
        """The same, joined once for all who ask in the next moment; None if there are none, too."""
        kept = self._joined.get(after)
        if kept is not None and kept.last == self.head:
            return kept
        if after >= self.head or (lines := self._ring.joined_after(after)) is None:
            return None
        if not self._joined:
            asyncio.get_running_loop().call_later(JOINED_SECONDS, self._joined.clear)
        elif len(self._joined) >= JOINED_MAX:
            del self._joined[next(iter(self._joined))]
        self._joined[after] = lines
        return self._joined[after]

    async def between(self, after: int, head: int, most: float = float("inf")) -> list[Entry]:
        """The lines after `after` up to `head`, from the database; where they are more than so many
        bytes, only the first of them, and those are more as well. Raises Unavailable.

        Those near the end are then kept ready: after a restart everybody comes back at once.
        """
        if self.head - after > ring.RING:
            return await self._fetch(after, head, most)
        async with self._recalling:
            lines, lost = self.replay(after), self.lost
            if lines is None:
                lines = await self._fetch(after, head, most)
                if self.lost is not lost:  # they may be of before that
                    raise Unavailable
                self._ring.add_before(lines, self.head + 1)
        return [line for line in lines if line.seq <= head]

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

    async def kept(self, line: LastLine) -> int | None:
        """Up to where the log is the one that somebody has up to that line; None if to there, as
        far as can be told. Raises Unavailable."""
        if line.at is None:  # all that can be told is what happened before our eyes
            return self.lost.start - 1 if line.seq in self.lost else None
        if line.seq == self.head and line.at == self.at or line.seq == 0:
            return None
        if 0 < line.seq <= self.head and self.head - line.seq < ring.RING:
            await self.between(line.seq - 1, self.head)
            if (here := self._ring.line(line.seq)) and here.event.at == line.at:
                return None
        return await self._source.read_kept(self.room_id, line)

    def go_back(self, kept: int, end: LastLine) -> None:
        """The log goes on after `kept`, and ends there by now. What was handed out after it is
        lost; so is what was lost at an earlier time."""
        self.listeners.scatter()
        before = self.lost or range(kept + 1, kept + 1)
        self.lost = range(min(before.start, kept + 1), max(before.stop, self.head + 1))
        self._lost_at = self.at or self._lost_at
        self._early.clear()
        self._forget()
        self._heard_head = 0
        self.head, self.at = max(kept, end.seq - ring.RING), end.at if kept == end.seq else None
        self.heard_of(end.seq)

    def close(self) -> None:
        for pending in (self._timer, self._filling):
            if pending is not None:
                pending.cancel()
