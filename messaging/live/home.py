"""Which process writes a room's messages: its home, while the room is busy.

Every process finds the same home without asking anybody: of all that live, the one whose hash with
the room is highest. So a process that comes or goes moves only its own share. Lists may differ for
a while; then two processes write a room, as any may, and the database decides.

A room is handed over only while it pays: it is busy, and others write it, too. Who says something
in a quiet room has it written by their own process, without a hop.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
from functools import partial
from hashlib import blake2b

WINDOW_SECONDS = 0.5  # in which lines are counted
BUSY_LINES = 10  # of a room in a window; then it has a home
CALM_LINES = 4  # fewer, and it has none any more
OTHERS_SHARE = 0.1  # of a room's lines at least are said by other processes


def home_of(room_id: int, processes: Iterable[str]) -> str:
    return max(processes, key=partial(_weight, room_id))


def _weight(room_id: int, process: str) -> bytes:
    return blake2b(f"{room_id}:{process}".encode(), digest_size=8).digest()


class Homes:
    """As one process sees them. `living` answers which processes live, as far as it is known."""

    def __init__(self, process: str, living: Callable[[], Collection[str]]) -> None:
        self._process, self._living = process, living
        self._live: frozenset[str] = frozenset()
        self._left: frozenset[str] = frozenset()  # of the living: they go, and said so
        self._passed: frozenset[str] = frozenset()  # of the living: they do not answer us
        self._here: dict[int, int] = {}  # room → lines of this window said here
        self._elsewhere: dict[int, int] = {}
        self._homes: dict[int, str] = {}  # of the rooms that are busy, and not our own
        self._until = 0.0  # the end of the window

    def said(self, room_id: int) -> str | None:
        """A message is said here: which process is to write it; None: this one."""
        if asyncio.get_running_loop().time() >= self._until:
            self._next_window()
        self._here[room_id] = self._here.get(room_id, 0) + 1
        return self._homes.get(room_id)

    def said_elsewhere(self, room_id: int, lines: int) -> None:
        self._elsewhere[room_id] = self._elsewhere.get(room_id, 0) + lines

    def is_living(self, process: str) -> bool:
        return process in self._living() and process not in self._left

    def leaves(self, process: str) -> None:
        """It is no home any more, though its lease may go on for a while."""
        self._left |= {process}
        self._move_from(process)

    def pass_by(self, process: str) -> None:
        """It does not answer. Others notice that, too, so the next in order becomes the home."""
        self._passed |= {process}
        self._move_from(process)

    def answers_again(self, process: str) -> None:
        self._passed -= {process}

    def _move_from(self, process: str) -> None:
        self._homes = {room: home for room, home in self._homes.items() if home != process}

    def _next_window(self) -> None:
        now = asyncio.get_running_loop().time()
        is_over = now >= self._until + WINDOW_SECONDS  # nobody said anything for a while
        self._until = now + WINDOW_SECONDS
        live = frozenset(self._living())
        self._left, self._passed = self._left & live, self._passed & live
        busy = [] if is_over else [room for room in self._here if self._is_busy(room)]
        self._homes = self._found(busy, live - self._left - self._passed)
        self._here, self._elsewhere = {}, {}

    def _is_busy(self, room_id: int) -> bool:
        others = self._elsewhere.get(room_id, 0)
        lines = self._here[room_id] + others
        enough = CALM_LINES if room_id in self._homes else BUSY_LINES
        return lines >= enough and others >= OTHERS_SHARE * lines

    def _found(self, busy: list[int], live: frozenset[str]) -> dict[int, str]:
        known = self._homes if live == self._live else {}
        self._live = live
        if not live - {self._process}:
            return {}
        homes = {room: known.get(room) or home_of(room, live | {self._process}) for room in busy}
        return {room: home for room, home in homes.items() if home != self._process}
