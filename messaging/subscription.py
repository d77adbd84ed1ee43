"""One socket's hold on one room: from the last line it has seen, all lines, in order, each once."""

from collections.abc import Awaitable, Callable

from messaging.feed import Feed, Line
from messaging.outbox import Packet
from messaging.wire import RESUME_BYTES_MAX, RESUME_MAX


class Subscription:
    """A feed's listener. Lines that come while older ones are still read are held back."""

    def __init__(
        self,
        feed: Feed,
        user_id: int,
        put: Callable[[Packet], None],
        ended: Callable[["Subscription", str], None],
    ) -> None:
        self.feed = feed
        self.room_id = feed.room_id
        self.user_id = user_id
        self.put = put
        self.seen = 0  # the last line sent
        self.sees_presence = False  # once it has had the snapshot
        self.stopped = False
        self._ended = ended  # told `left` or `removed` when the seat is gone, by whichever door
        self._held: list[Line] | None = []

    def take(self, line: Line) -> None:
        if self._held is not None:
            self._held.append(line)
        elif line.seq > self.seen and not self.stopped:
            self.put(line.frame)
            self.seen = line.seq
            if line.event.kind == "leave" and line.event.sender.id == self.user_id:
                self._ended(self, line.event.body or "left")

    async def resume(
        self,
        after: int | None,
        read: Callable[[int, int], Awaitable[list[Line]]],
        greet: Callable[[int, int, bool], None],
    ) -> None:
        """Listen first, then read what was missed, then merge by seq: no hole, no repeat.

        `read(after, head)` asks the database; `greet(head, after, recovered)` comes before the
        first line. Raises Unavailable.
        """
        self.feed.listeners.add(self)
        head = self.feed.head
        start = head if after is None else after
        lines = self._replay(start, head)
        if lines is None:
            lines = await read(start, head)
        if sum(line.frame.size for line in lines) > RESUME_BYTES_MAX:
            lines = []
        recovered = start == head or (bool(lines) and lines[0].seq == start + 1)
        self.seen = start if recovered else head
        greet(head, self.seen, recovered)
        held, self._held = self._held or [], None
        for line in [*(lines if recovered else []), *held]:
            self.take(line)

    def _replay(self, start: int, head: int) -> list[Line] | None:
        """The lines after `start`: none if there are too many, None if the database has them."""
        if not 0 <= head - start <= RESUME_MAX:
            return []
        return self.feed.replay(start)

    def stop(self) -> None:
        self.stopped = True
        self.feed.listeners.discard(self)
