"""What MongoDB is still to be told: the latest for each person, kept until it was stored."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from core.breaker import Breaker
from core.text import first_line
from presence import farewells, last_seen, self_check
from presence.last_seen import FAILURES, Orphan, Unfit
from presence.marks import Mark
from presence.room_state import now_micros

KEPT_MAX = 100_000  # people; about 30 MB
BATCH_MAX = 500  # marks in one write: all processes wait for one MongoDB, and nobody for long
GATHER_SECONDS = 0.05
BACK_OFF_SECONDS = (0.5, 2.0)  # the first wait while MongoDB is down, and the longest
UNFIT_SECONDS = 60.0  # between two checks of a server that is not fit
TRIES_MAX = 3  # for a mark that MongoDB does not take while it takes others: one each heartbeat

Key = tuple[int, int, bool]  # room, user, whether the document is to be removed

logger = logging.getLogger(__name__)


class WriteBehind:
    """Belongs to one event loop; MongoDB is spoken to in threads of its own."""

    def __init__(self, process: str, turned: Callable[[], None]):
        self.mongodb = Breaker("MongoDB stores nothing", "MongoDB answers again", turned=turned)
        self._process = process
        self._marks: dict[Key, Mark] = {}
        self._writing: dict[Key, Mark] = {}
        self._doubtful: dict[Key, Mark] = {}  # not taken; tried again with the next heartbeat
        self._tries: Counter[Key] = Counter()
        self._told: set[str] = set()  # why marks were given up
        self._is_fit = False  # as far as is known, since MongoDB was away
        self._seen_at = 0
        self._something = asyncio.Event()
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="presence")

    def note(self, mark: Mark) -> None:
        key, other = _keys(mark)
        if mark.removed:
            self._marks.pop(other, None)  # who is here anew is noted after it
        if key not in self._marks and len(self._marks) >= KEPT_MAX:
            logger.error("MongoDB is down for too long: a change of presence was dropped")
            return
        earlier = self._marks.get(key)
        self._marks[key] = mark.after(earlier) if earlier else mark
        self._something.set()

    def seen(self, at: int) -> None:
        """A heartbeat: also how MongoDB's failure is noticed when nobody comes or goes."""
        self._seen_at = at
        self._doubt_again()
        self._something.set()

    async def keep(self) -> None:
        """Store what is noted, for ever."""
        wait = BACK_OFF_SECONDS[0]
        while True:
            await self._something.wait()
            await asyncio.sleep(wait if self.mongodb.is_down else GATHER_SECONDS)
            try:
                await self.store()
                wait = BACK_OFF_SECONDS[0]
            except Unfit as error:
                self.mongodb.failed(error, error.why)
                wait = UNFIT_SECONDS
            except Exception as error:
                self._is_fit = False  # another server may come back
                why = last_seen.reason(error)
                self.mongodb.failed(why or error, why)
                wait = min(wait * 2, BACK_OFF_SECONDS[1])

    async def store(self) -> None:
        self._something.clear()
        while self._marks or self._seen_at:
            await self._expect_fit()
            seen_at, self._seen_at = self._seen_at, 0
            self._take()
            try:
                await self._write(seen_at)
            except Exception:
                self._seen_at = max(self._seen_at, seen_at)
                raise
            finally:
                self._put_back(self._writing)
            self.mongodb.answered()

    async def _expect_fit(self) -> None:
        if not self._is_fit:
            await self._in_thread(self_check.check)
            self._is_fit = True

    async def _write(self, seen_at: int) -> None:
        marks = list(self._writing.values())
        try:
            await self._in_thread(last_seen.write, marks, self._process, seen_at)
        except FAILURES as error:
            if last_seen.is_away(error):
                raise
            await self._write_each()
        self._writing.clear()

    async def _write_each(self) -> None:
        """One of them is not taken, and holds up no other. That is its own fault only if MongoDB
        takes anything: a heartbeat tells."""
        await self._in_thread(last_seen.write, [], self._process, now_micros())
        for key, mark in list(self._writing.items()):
            try:
                await self._in_thread(last_seen.write, [mark])
            except FAILURES as error:
                if last_seen.is_away(error):
                    raise
                self._refused(key, mark, error)
            else:
                self._tries.pop(key, None)
            del self._writing[key]

    def _refused(self, key: Key, mark: Mark, error: Exception) -> None:
        self._tries[key] += 1
        if self._tries[key] < TRIES_MAX:
            self._doubtful[key] = mark
            return
        del self._tries[key]
        kind = f"{type(error).__name__} {getattr(error, 'code', '')}"
        if kind not in self._told:
            self._told.add(kind)
            logger.error(
                "A change of presence was given up: MongoDB did not take it %s times (room %s, "
                "person %s): %s. Others of this kind are not told",
                TRIES_MAX, mark.room, mark.user, first_line(error),
            )  # fmt: skip

    def _doubt_again(self) -> None:
        doubtful, self._doubtful = self._doubtful, {}
        self._put_back(doubtful)

    async def leave(self) -> None:
        """Before the end: store what is noted; if that is much, leave it to others in one piece."""
        self._doubt_again()
        await self._expect_fit()
        if len(self._marks) <= BATCH_MAX:
            await self.store()
        else:
            marks, self._marks = list(self._marks.values()), {}
            await self._in_thread(farewells.leave, self._process, marks)

    async def take_over(self) -> None:
        """Store what processes left to others before they ended."""
        while left := await self._in_thread(farewells.one):
            name, marks = left
            for start in range(0, len(marks), BATCH_MAX):
                await self._adopt(marks[start : start + BATCH_MAX])
            await self._in_thread(farewells.forget, name)

    async def _adopt(self, marks: list[Mark]) -> None:
        try:
            await self._in_thread(last_seen.write, marks)
        except FAILURES as error:
            if last_seen.is_away(error):
                raise
            for mark in marks:  # one of them is not taken: that is found out as with our own
                self.note(mark)

    async def orphans(self, live: list[str], before: int, limit: int) -> list[Orphan]:
        return await self._in_thread(last_seen.orphans, live, before, limit)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _take(self) -> None:
        for key in list(self._marks)[:BATCH_MAX]:
            self._writing[key] = self._marks.pop(key)

    def _put_back(self, marks: dict[Key, Mark]) -> None:
        for key, mark in marks.items():
            later, removal = self._marks.get(key), self._marks.get((mark.room, mark.user, True))
            if later or not removal:
                self._marks[key] = later.after(mark) if later else mark
        marks.clear()
        if self._marks or self._seen_at:
            self._something.set()

    async def _in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)


def _keys(mark: Mark) -> tuple[Key, Key]:
    return (mark.room, mark.user, mark.removed), (mark.room, mark.user, not mark.removed)
