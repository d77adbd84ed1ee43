"""What follows the log: a name, where it begins, and what it does with the next lines."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal

from messaging.log.event import Event

NAME_MAX = 40  # characters


class Postponed(Exception):
    """The effect can't be made now, and nobody here is to blame: a server of others is away, say.
    It is tried again, and told in one line."""


class Follower(ABC):
    """Gets each line of each room at least once, and the lines of a room in their order.

    Its effect is exactly once if it is made on Django's connection, for it is committed together
    with the position. An effect elsewhere must bear to be made again.
    """

    name: ClassVar[str]
    # In a database that has logs already: with their first lines, or with what comes from now on.
    starts_at: ClassVar[Literal["beginning", "now"]] = "beginning"

    def begin(self) -> None:  # noqa: B027  (most have nothing to make up for)
        """Called once in the life of a site, before the first lines: what follows from the lines
        that `starts_at` leaves out. In the transaction that writes the positions."""

    @abstractmethod
    def apply(self, lines: Sequence[Event]) -> None:
        """The next lines of some rooms. In the transaction that moves the positions, so it should
        take milliseconds: PostgreSQL ends one that stands still for 5 s. What it raises undoes all.
        """
