"""The relay's work: which rooms have more lines, and the next ones of some of them."""

import logging
from collections.abc import Iterable, Mapping

from interfaces.kafka import records
from interfaces.kafka.progress import Progress
from interfaces.kafka.records import RelayPosition
from interfaces.kafka.transactions import Transactions
from messaging import log
from messaging.followers.waiting import WaitingRooms
from messaging.log import NextRows

ROOMS_MAX = 256  # in one transaction
LINES_MAX = 5_000  # in one transaction, of all its rooms together
LINES_MIN = 50  # of each room, however many there are
LATELY_MAX = 20_000  # rooms that one look finds; if there are more, it looks at all
PAGE = 50_000  # rooms that are read at once

NOWHERE = RelayPosition(0)

logger = logging.getLogger(__name__)


class Copying:
    """For one thread; `hint` for any."""

    def __init__(self, transactions: Transactions) -> None:
        self.transactions = transactions
        self.progress = Progress()
        self.has_begun = False  # it is known how far rooms were relayed, be it a while ago
        self._positions: dict[int, RelayPosition] = {}
        self._waiting = WaitingRooms()
        self._hinted: set[int] = set()  # each room once, for however long Kafka is away

    def hint(self, rooms: Iterable[int]) -> None:
        self._hinted.update(rooms)

    @property
    def has_work(self) -> bool:
        return bool(self._hinted) or self._waiting.wait() is not None

    def begin(self) -> None:
        """From where the relay before us, or we, came to."""
        self._positions = self.transactions.begin()
        self.has_begun = True
        self._waiting.clear()
        self.progress.heads.clear()
        self.progress.stopped.clear()
        self.progress.missed = sum(place.missed for place in self._positions.values())

    def skip_to_head(self, room: int) -> bool:
        """Relay what comes after the lines that there are now; False if there is no such room."""
        if not (there := log.next_rows({room: 0}, 1)):
            return False
        head = there[room].head
        lines = log.next_rows({room: head}, 1)[room].rows
        at = lines[0][2] if lines and lines[0][0] == head else None
        position = RelayPosition(head, at, self._positions.get(room, NOWHERE).missed)
        self.transactions.send([], {room: position})
        return True

    # --- which rooms have more ----------------------------------------------------------------

    def look_lately(self) -> bool:
        """At open rooms in which something has just happened; False if they are too many."""
        found = log.heads_lately(LATELY_MAX)
        self._compare(found)
        return len(found) < LATELY_MAX

    def look_everywhere(self) -> None:
        after = 0
        while found := log.heads(after, PAGE):
            self._compare(found)
            after = max(found)

    def _compare(self, heads: Mapping[int, int]) -> None:
        for room, head in heads.items():
            seq = self._positions.get(room, NOWHERE).seq
            if head > seq:
                self._note(room, head)
            elif head < seq:
                self._stop(room, f"its log ends with line {head}, and {seq} lines were relayed")
        self._look()

    def _note(self, room: int, head: int) -> None:
        if room not in self.progress.stopped:
            self.progress.heads[room] = head
            self._waiting.add([room])

    def _stop(self, room: int, why: str) -> None:
        """What was relayed of it is not its log any more: PostgreSQL was brought back to an earlier
        state, or another one took over. People must say what to do."""
        self.progress.heads.pop(room, None)
        if room not in self.progress.stopped:
            self.progress.stopped[room] = why
            logger.error("room %s is relayed no further: %s (docs/kafka.md)", room, why)

    def _look(self) -> None:
        behind = self.progress.heads
        self.progress.look({room: self._positions.get(room, NOWHERE).seq for room in behind})

    # --- the next lines -----------------------------------------------------------------------

    def step(self) -> None:
        """The next lines of some rooms, in one transaction."""
        while self._hinted:
            self._waiting.add([self._hinted.pop()])
        rooms = [room for room in self._waiting.take(ROOMS_MAX) if self._is_relayed(room)]
        if not rooms:
            return
        lasts = {room: self._positions.get(room, NOWHERE).seq for room in rooms}
        found = log.next_rows(lasts, max(LINES_MIN, LINES_MAX // len(rooms)))
        lines: list[tuple[bytes, bytes]] = []
        places: dict[int, RelayPosition] = {}
        for room, page in found.items():
            if place := self._next(room, page, lines):
                places[room] = place
        if places:
            self.transactions.send(lines, places)
        self._moved(places, {room: page.head for room, page in found.items()})
        self.progress.lines += len(lines)

    def _is_relayed(self, room: int) -> bool:
        return room not in self.progress.stopped

    def _next(
        self, room: int, page: NextRows, lines: list[tuple[bytes, bytes]]
    ) -> RelayPosition | None:
        """Adds what comes next in this room; where it is then, if that is elsewhere."""
        old, rows = self._positions.get(room, NOWHERE), page.rows
        if page.head < old.seq:
            self._stop(
                room, f"its log ends with line {page.head}, and {old.seq} lines were relayed"
            )
            return None
        if rows and rows[0][0] == old.seq:
            if old.at is not None and rows[0][2] != old.at:
                self._stop(room, f"its line {old.seq} is another one than was relayed")
                return None
            rows = rows[1:]
        if page.head == old.seq:
            return None
        key = records.key(room)
        lines += [(key, records.line(room, row)) for row in rows]
        seq, at = (rows[-1][0], rows[-1][2]) if rows else (page.head, None)
        hole = (rows[0][0] if rows else page.head + 1) - old.seq - 1
        return RelayPosition(seq, at, old.missed + hole)

    def _moved(self, places: Mapping[int, RelayPosition], heads: Mapping[int, int]) -> None:
        for room, place in places.items():
            old = self._positions.get(room, NOWHERE)
            if hole := place.missed - old.missed:
                self.progress.missed += hole
                logger.warning("room %s: %s lines were pruned before they were relayed", room, hole)
            self._positions[room] = place
        for room, head in heads.items():
            if head > self._positions.get(room, NOWHERE).seq:
                self._note(room, head)
            else:
                self.progress.heads.pop(room, None)
        self._look()
