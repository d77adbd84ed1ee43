"""The rooms in which a follower has something to do: in turn, and those that failed later."""

import time
from collections.abc import Callable, Iterable

AGAIN_SECONDS = 1.0  # after a room failed once; twice as long after each further time
AGAIN_MAX_SECONDS = 60.0


class WaitingRooms:
    """A room that comes again keeps its place. One that has more after its turn goes behind all
    the others, so a loud one starves nobody; one that failed waits apart."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._ready: dict[int, None] = {}
        self._later: dict[int, float] = {}  # room → when it is tried again
        self._failures: dict[int, int] = {}

    def add(self, rooms: Iterable[int]) -> None:
        for room in rooms:
            if room not in self._later:
                self._ready.setdefault(room)

    def take(self, most: int) -> list[int]:
        """The next ones, or one that has failed, alone. They are out of it until they are added
        again."""
        now = self._now()
        for room in [room for room, at in self._later.items() if at <= now]:
            del self._later[room]
            self._ready.setdefault(room)
        suspects = [room for room in self._ready if room in self._failures]
        taken = suspects[:1] or list(self._ready)[:most]
        for room in taken:
            del self._ready[room]
        return taken

    def went_well(self, rooms: Iterable[int]) -> None:
        for room in rooms:
            self._failures.pop(room, None)

    def failed(self, room: int) -> int:
        """How often it has, one after the other."""
        many = self._failures[room] = self._failures.get(room, 0) + 1
        wait = min(AGAIN_SECONDS * 2 ** (many - 1), AGAIN_MAX_SECONDS)
        self._later[room] = self._now() + wait
        return many

    def wait(self) -> float | None:
        """Seconds until there is one; None if nobody knows of any."""
        if self._ready:
            return 0.0
        return max(0.0, min(self._later.values()) - self._now()) if self._later else None

    def clear(self) -> None:
        self._ready.clear()
        self._later.clear()
        self._failures.clear()
