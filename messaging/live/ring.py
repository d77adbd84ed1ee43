"""The last lines of a log, kept ready for those who come back."""

from collections import deque
from collections.abc import Sequence

from messaging.live.entries import Entry, EntryBatch, batch, joined

RING = 256  # lines


class Ring:
    """Batches that follow each other. Whole ones are dropped, so that nothing is taken apart for
    it: there may be more lines than RING, but those are not answered."""

    def __init__(self) -> None:
        self._batches: deque[EntryBatch] = deque()
        self._many = 0

    def add(self, lines: EntryBatch) -> None:
        self._batches.append(lines)
        self._many += lines.many
        while self._many - self._batches[0].many >= RING:
            self._many -= self._batches.popleft().many

    def add_before(self, lines: Sequence[Entry], end: int) -> None:
        """Older ones, as far as they reach and there is room; `end`: after the last line of all."""
        first = self._first or end
        older = [line for line in lines if line.seq < first]
        room = RING - self._many
        if room > 0 and older and older[-1].seq == first - 1:
            self._batches.appendleft(batch(older[-room:]))
            self._many += self._batches[0].many

    def clear(self) -> None:
        self._batches.clear()
        self._many = 0

    @property
    def _first(self) -> int:
        """The oldest that is answered; 0 for none."""
        if not self._batches:
            return 0
        return max(self._batches[0].first, self._batches[-1].last - RING + 1)

    def _after(self, seq: int) -> list[EntryBatch]:
        """The lines after that one; none if not all of them are kept."""
        if not self._first or self._first > seq + 1:
            return []
        return [each.after(seq) for each in self._batches if each.last > seq]

    def after(self, seq: int) -> list[Entry] | None:
        """The lines after that one, which is not the last; None if not all of them are kept."""
        return [line for each in self._after(seq) for line in each.all] or None

    def joined_after(self, seq: int) -> EntryBatch | None:
        kept = self._after(seq)
        return joined(kept) if kept else None

    def line(self, seq: int) -> Entry | None:
        for each in reversed(self._batches):
            if each.first <= seq:
                return each.line(seq) if self._first <= seq <= each.last else None
        return None
