"""What follows the log: a name, where it begins, and what it does with what comes next."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, NamedTuple

from messaging import log
from messaging.log.event import Event

LINES_MAX = 200  # of one room in one step
BYTES_MAX = 64 * 1024  # of text of one room; the line that reaches it comes along


class Postponed(Exception):
    """The effect can't be made now, and nobody here is to blame: a server of others is away, say.
    It is tried again, and told in one line."""


class Stretch(NamedTuple):
    """A piece of a room's log that was followed."""

    head: int  # where the log ended at that moment
    first: int | None  # the first line in it; None if all of them have been pruned
    until: int  # its last seq

    def hole(self, old: int) -> int:
        """How many lines were pruned before they were followed."""
        return (self.until if self.first is None else self.first - 1) - old


class Follower(ABC):
    """Gets each line of each room at least once, and the lines of a room in their order.

    Its effect is exactly once if it is made on Django's connection, for it is committed together
    with the position. An effect elsewhere must bear to be made again.
    """

    name: ClassVar[str]
    # In a database that has logs already: with their first lines, or with what comes from now on.
    starts_at: ClassVar[Literal["beginning", "now"]] = "beginning"
    gather_seconds: ClassVar[float] = 0.0  # at least so long after a step more is let come together

    def begin(self) -> None:  # noqa: B027  (most have nothing to make up for)
        """Called once in the life of a site, before the first lines: what follows from the lines
        that `starts_at` leaves out. In the transaction that writes the positions."""

    @abstractmethod
    def follow(self, positions: Mapping[int, int]) -> dict[int, Stretch]:
        """Make the effect of what comes next in these rooms, and say how far that went. In the
        transaction that moves the positions, so it should take milliseconds: PostgreSQL ends one
        that stands still for 5 s. What it raises undoes all."""


class LineFollower(Follower):
    """Looks at each line. Who only counts them has that done by PostgreSQL, at a tenth of the cost
    (counters.py)."""

    @abstractmethod
    def apply(self, lines: Sequence[Event]) -> None:
        """The next lines of some rooms."""

    def follow(self, positions: Mapping[int, int]) -> dict[int, Stretch]:
        found = log.follow(positions, limit=LINES_MAX, most=BYTES_MAX)
        if lines := [line for page in found.values() for line in page.lines]:
            self.apply(lines)
        return {room: _stretch(page) for room, page in found.items()}


def _stretch(page: log.NextLines) -> Stretch:
    """If nothing is kept, all there was is over."""
    if not page.lines:
        return Stretch(page.head, None, page.head)
    return Stretch(page.head, page.lines[0].seq, page.lines[-1].seq)
