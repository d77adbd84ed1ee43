"""All who listen to one room, and how a batch of lines comes to them at once.

Most of them are sockets that have just got the line before, have nothing else to be sent, and
take what they get: they are *in step*. What is told is written to their descriptors at once, which
touches nothing else of theirs: in a room of thousands, what a processor has to fetch of each costs
more than the calls. The others are asked one by one.
"""

import logging
from collections.abc import Iterator
from typing import Protocol

from messaging.live import outbox
from messaging.live.entries import EntryBatch

logger = logging.getLogger(__name__)


class Listener(Protocol):
    """Gets each line of a feed, in order, those that came together at once."""

    def take(self, lines: EntryBatch) -> None: ...


class Walker(Listener, Protocol):
    """A listener that may be in step: then its crowd knows what it has seen. `steps_by`: the line
    by which it is."""

    steps_by: int | None

    def can_step(self, seen: int) -> bool:
        """Whether that line is the last one it has seen, and it wants the next one as it is."""
        ...

    def step(self, line: int) -> None: ...

    def stop_at(self, seen: int) -> None: ...


class Crowd:
    __slots__ = ("_apart", "_in_step", "_others", "given", "told")

    def __init__(self) -> None:
        self._others: set[Listener] = set()
        self._apart: dict[Walker, int] = {}  # not in step, or not yet; with their lines
        self._in_step: dict[int, Walker] = {}  # by their lines
        self.told = 0  # the last line that was
        self.given = 0  # bytes to each that is in step

    def add(self, listener: Listener) -> None:
        self._others.add(listener)

    def add_walker(self, walker: Walker, line: int) -> None:
        self._apart[walker] = line

    def discard(self, listener: Listener) -> None:
        self._others.discard(listener)
        self._apart.pop(listener, None)  # type: ignore[call-overload]  # some listeners walk
        if (line := getattr(listener, "steps_by", None)) is not None:
            del self._in_step[line]
            listener.stop_at(self.told)  # type: ignore[attr-defined]

    def __len__(self) -> int:
        return len(self._others) + len(self._apart) + len(self._in_step)

    def __iter__(self) -> Iterator[Listener]:
        yield from self._others
        yield from self._apart
        yield from self._in_step.values()

    def tell(self, room_id: int, lines: EntryBatch) -> None:
        if lines.has_leaves:
            self.scatter()
        elif self._in_step:
            outbox.write_to_all(self._in_step.keys(), lines.packet)
            self.given += lines.packet.size
        self.told = lines.last
        for listener in (*self._others, *self._apart):
            try:
                listener.take(lines)
            except Exception:  # one that stumbles must not cost the others the lines
                logger.exception("room %s: a listener stumbled over %s", room_id, lines.first)
        if self._apart:
            self._step()

    def _step(self) -> None:
        for walker, line in [*self._apart.items()]:
            if walker.can_step(self.told) and line not in self._in_step:
                self._in_step[line] = walker
                del self._apart[walker]
                walker.step(line)

    def scatter(self) -> None:
        """Each is asked by itself what it makes of the next lines."""
        for line, walker in self._in_step.items():
            walker.stop_at(self.told)
            self._apart[walker] = line
        self._in_step = {}
