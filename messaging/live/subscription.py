"""One socket's hold on one room: from the last line it has seen, all lines, in order, each once."""

from collections.abc import Awaitable, Callable, Sequence

from core.postgresql.reads import Unavailable
from messaging.live import outbox
from messaging.live.entries import Entry, EntryBatch
from messaging.live.feed import Feed
from messaging.live.frames import RESUME_BYTES_MAX, RESUME_MAX
from messaging.live.packets import Packet
from messaging.log import LastLine
from messaging.log.kinds import TAKES_SEAT

Greet = Callable[[int, int, bool, int | None], None]  # head, after, recovered, kept
Read = Callable[[int, int, float], Awaitable[list[Entry]]]


class Subscription:
    """A feed's listener, and most of the time one of its crowd that are in step. Lines that come
    while older ones are still read are held back."""

    __slots__ = (
        "_ended", "_held", "_seen", "feed", "member_at", "put", "room_id", "sees_presence",
        "steps_by", "stopped", "user_id",
    )  # fmt: skip

    def __init__(
        self,
        feed: Feed,
        user_id: int,
        member_at: int,
        put: Callable[[Packet], None],
        ended: Callable[["Subscription", str], None],
    ) -> None:
        self.feed = feed
        self.room_id = feed.room_id
        self.user_id = user_id
        self.member_at = member_at  # where the log ended when the seat was looked at
        self.put = put
        self._seen = 0  # the last line sent, unless it is in step
        self.steps_by: int | None = None
        self.sees_presence = False  # once it has had the snapshot
        self.stopped = False
        self._ended = ended  # told `left` or `removed` when the seat is gone, by whichever door
        self._held: list[Entry] | None = []

    @property
    def seen(self) -> int:
        """The last line sent."""
        return self._seen if self.steps_by is None else self.feed.listeners.told

    def forget(self, kept: int) -> None:
        """The lines after that one are lost."""
        self._seen = min(self._seen, kept)

    def can_step(self, seen: int) -> bool:
        return self._seen == seen and self._held is None and not self.stopped

    def step(self, line: int) -> None:
        self.steps_by = line

    def stop_at(self, seen: int) -> None:
        self.steps_by, self._seen = None, seen

    def take(self, lines: EntryBatch) -> None:
        if self._held is not None:
            self._held += lines.all
        elif lines.first > self._seen and not lines.has_leaves and not self.stopped:
            put = self.put  # a method of somebody: called by itself it is found faster
            put(lines.packet)  # as always, but for the cases that `_take` knows
            self._seen = lines.last
        else:
            self._take(lines.all)

    def _take(self, lines: Sequence[Entry]) -> None:
        for line in lines:
            if self.stopped:
                return
            if line.seq > self._seen:
                self._hand(line)
                self._seen = line.seq
            self._end_if_left(line)

    def _hand(self, line: Entry) -> None:
        self.put(line.frame)

    def _end_if_left(self, line: Entry) -> None:
        # An older leave was followed by a return, for the seat was there after it.
        left = line.event.kind in TAKES_SEAT and line.event.sender.id == self.user_id
        if left and line.seq > self.member_at:
            self._ended(self, line.event.body or "left")

    async def resume(self, after: LastLine | None, read: Read, greet: Greet) -> None:
        """Listen first, then read what was missed, then merge by seq: no hole, no repeat.

        `read(after, head, most)` asks the database. `greet` comes before the first line; `kept`
        says up to where what the client has is still the log. Raises Unavailable.
        """
        self._listen()
        lost = self.feed.lost
        kept = None if after is None else await self.feed.kept(after)
        head = self.feed.head
        start = head if after is None else after.seq if kept is None else min(kept, head)
        since_looked = await self._lines(self.member_at, head, read)
        ready = self._ready(start, head)
        lines = [] if ready else await self._lines(start, head, read, RESUME_BYTES_MAX)
        if sum(line.frame.size for line in lines) > RESUME_BYTES_MAX:
            lines = []
        if self.feed.lost is not lost:  # the log has gone back just now
            raise Unavailable
        is_brought = start == head or bool(ready) or (bool(lines) and lines[0].seq == start + 1)
        self._seen = start if is_brought else head
        greet(head, self._seen, is_brought and kept is None, kept)
        held, self._held = self._held or [], None
        if ready:
            self.take(ready)
        # The longer of the two; of lines that were seen before, only an own leave matters.
        known = lines if is_brought and start < self.member_at else since_looked
        self._take([*known, *held])

    def _listen(self) -> None:
        if (line := outbox.line_of(self.put)) is not None:
            self.feed.listeners.add_walker(self, line)
        else:
            self.feed.listeners.add(self)

    def _ready(self, start: int, head: int) -> EntryBatch | None:
        """What was missed, if it is kept ready, and is not too much to bring."""
        if not 0 < head - start <= RESUME_MAX:
            return None
        ready = self.feed.missed(start)
        return ready if ready and ready.packet.size <= RESUME_BYTES_MAX else None

    async def _lines(
        self, start: int, head: int, read: Read, most: float = float("inf")
    ) -> list[Entry]:
        """The lines after `start`; none if they are too many to bring."""
        if not 0 < head - start <= RESUME_MAX:
            return []
        kept = self.feed.replay(start)
        return await read(start, head, most) if kept is None else kept

    def stop(self) -> None:
        self.stopped = True
        self.feed.listeners.discard(self)


class EntrySubscription(Subscription):
    """For a wire that encodes events its own way: it gets each entry of the log, not its frame.

    A class of its own, so that plain sockets are asked nothing more for each batch.
    """

    __slots__ = ("_put_entry",)

    def __init__(
        self,
        feed: Feed,
        user_id: int,
        member_at: int,
        put: Callable[[Packet], None],
        ended: Callable[[Subscription, str], None],
        put_entry: Callable[[Entry], None],
    ) -> None:
        super().__init__(feed, user_id, member_at, put, ended)
        self._put_entry = put_entry

    def _listen(self) -> None:
        self.feed.listeners.add(self)

    def take(self, lines: EntryBatch) -> None:
        if self._held is not None:
            self._held += lines.all
        else:
            self._take(lines.all)

    def _hand(self, line: Entry) -> None:
        self._put_entry(line)
