"""How long a batch fills: the fuller it is, the less each message costs, here, in PostgreSQL, and
on the way to each socket, which gets what was stored together of a room in one write."""

import asyncio
from collections.abc import Collection
from typing import Any, NamedTuple

TURNS = 8  # of the event loop: for what was answered just now to be answered in turn
STEP_SECONDS = 0.002  # in which somebody comes, while messages keep coming
STEPS = 25  # that a message waits for others; they take longer where the loop is late


class Patience(NamedTuple):
    enough: int  # messages for each room that has some: more of them save little
    empty: int  # steps in a row in which nobody comes, until nobody else is waited for
    longest: float  # seconds, however late the loop is


OWN = Patience(8, 1, 0.05)
# What others hand over comes by one process after the other, each of which may wait for a core; and
# what is stored together is told to all of them together, which is dear.
OF_OTHERS = Patience(14, 6, 0.25)
IN_VAIN_MAX = 6  # times in a row that waiting brought nobody: then 64 batches go at once


class Filling:
    """`waiting` are the keys of what is said to a writer, each with its room first.

    Who is alone never waits. Where all that can come wait for an answer, nobody else comes: that
    is found out seldom, and costs a step.
    """

    def __init__(self, waiting: Collection[tuple[int, Any, Any]], most: int) -> None:
        self._waiting, self._most = waiting, most
        self._last_size = 0  # of a batch
        self._keep_coming = False  # some came while the last batch was under way
        self._in_vain = 0  # waits in a row
        self._at_once = 0  # batches that don't wait
        self._patience = OWN

    def others_come(self) -> None:
        """Some of the next batch is handed over by other processes."""
        self._patience = OF_OTHERS

    def stored(self, size: int) -> None:
        """A batch of so many."""
        self._last_size, self._keep_coming = size, len(self._waiting) > 0
        if not self._keep_coming:
            self._patience = OWN

    async def wait(self) -> None:
        for _turn in range(TURNS if self._last_size > 1 else 0):
            await asyncio.sleep(0)
        if not self._keep_coming:
            return
        if self._at_once:
            self._at_once -= 1
        elif await self._fill():
            self._in_vain = 0
        else:
            self._in_vain = min(self._in_vain + 1, IN_VAIN_MAX)
            self._at_once = 2**self._in_vain

    async def _fill(self) -> bool:
        """Whether some came now and then, until there are enough."""
        loop, empty = asyncio.get_running_loop(), 0
        began = loop.time()
        for _step in range(STEPS):
            if self._are_enough or loop.time() >= began + self._patience.longest:
                break
            before = len(self._waiting)
            await asyncio.sleep(STEP_SECONDS)
            empty = empty + 1 if len(self._waiting) == before else 0
            if empty >= self._patience.empty:
                return False
        return True

    @property
    def _are_enough(self) -> bool:
        rooms = len({key[0] for key in self._waiting})
        return len(self._waiting) >= min(self._patience.enough * rooms, self._most)
