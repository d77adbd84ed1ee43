"""The lines of a room in order, each once, without a hole; and how little of them is kept.

The socket tells what is new. Only the newest KEPT_MAX lines wait here for a reader: one who is
slower finds a hole in front of them, and so does one after a break that was too long to resume. A
hole is filled from the log, page by page, when the reader comes to it. So a slow reader asks for no
more than it reads, in bounded memory, and holds up neither the socket nor other rooms; nor its own
acknowledgements, which come by the same socket.
"""

from collections import deque
from datetime import datetime

from chattalk_client.events import Line, Lost, Page, Pruned, RoomEvent

KEPT_MAX = 256  # lines of a room that wait for its reader


class Feed:
    """`last`: the `seq` that was given out last; None before the first subscription stands."""

    def __init__(self, room: int) -> None:
        self._room = room
        self.last: int | None = None
        self.at: datetime | None = None  # when that line was written, if it was a line
        self.head = 0  # the last `seq` of the room, as far as was told
        self._page: deque[RoomEvent] = deque()  # one page of the log at most
        self._live: deque[Line] = deque(maxlen=KEPT_MAX)
        self._untold = 0  # up to here, the socket won't tell what is missing

    @property
    def known(self) -> int:
        """Up to here all is given out, kept, or to be had from the log: what to resume after."""
        return max(self.last or 0, self._untold, self._live[-1].seq if self._live else 0)

    @property
    def known_at(self) -> datetime | None:
        """When the line `known` was written; None where that was not told."""
        if self._live and self._live[-1].seq == self.known:
            return self._live[-1].at
        return self.at if self.last == self.known else None

    def subscribed(
        self,
        asked: int | None,
        head: int,
        recovered: bool,
        *,
        kept: int | None = None,
        after: int | None = None,
    ) -> None:
        """The events after `asked` follow, or else only those after `head`; None: after `head`.
        `kept`: what came after it is not the log's any more; what follows it comes `after` there.
        """
        self.head = head
        if self.last is None:
            self.last = head if asked is None else min(asked, head if kept is None else kept)
        if recovered or asked is None:
            return
        self._untold = head if after is None else after
        end = min(asked, head) if kept is None else kept
        if end < self.known:
            self._go_back(end)

    def _go_back(self, kept: int) -> None:
        self._page.clear()
        if self.last is not None and self.last > kept:
            self._page.append(Lost(room=self._room, after=kept, upto=self.last))
            self.last, self.at = kept, None
        self._live = deque((line for line in self._live if line.seq <= kept), maxlen=KEPT_MAX)

    def put(self, line: Line) -> None:
        """As it came by the socket; one that came before is left out."""
        if self.last is not None and line.seq > self.known:
            self._live.append(line)
            self.head = max(self.head, line.seq)

    def take(self) -> RoomEvent | None:
        """The next, if it is here."""
        if self.last is None:
            return None
        while self._live and self._live[0].seq <= self.last:
            self._live.popleft()
        if self._page:
            event = self._page.popleft()
            return self._given(event)
        if self._live and self._live[0].seq == self.last + 1:
            return self._given(self._live.popleft())
        return None

    def _given(self, event: RoomEvent) -> RoomEvent:
        if isinstance(event, Lost):
            return event  # the log went back as it was told
        if isinstance(event, Pruned):
            self.last, self.at = event.upto, None
        else:
            self.last, self.at = event.seq, event.at
        return event

    @property
    def has_hole(self) -> bool:
        """Whether `take` gave nothing because a page is missing."""
        return self.last is not None and not self._page and self._hole_end > self.last

    @property
    def _hole_end(self) -> int:
        return self._live[0].seq - 1 if self._live else self._untold

    def fill(self, page: Page) -> None:
        """What the log has after `last`. What it has no more is told, not passed over."""
        last = self.last or 0
        lines = [line for line in page.events if line.seq > last]
        upto = lines[0].seq - 1 if lines else self._hole_end
        if upto > last:
            self._page.append(Pruned(room=self._room, after=last, upto=upto))
        self._page.extend(lines)
        self.head = max(self.head, page.head)
