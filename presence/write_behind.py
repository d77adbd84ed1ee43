"""What MongoDB is still to be told: the latest for each person, kept until it was stored."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from core.breaker import Breaker
from presence import farewells, last_seen
from presence.last_seen import Mark, Orphan

KEPT_MAX = 100_000  # people; about 30 MB
BATCH_MAX = 100  # marks in one write: all processes wait for one MongoDB, and nobody for long
GATHER_SECONDS = 0.05
BACK_OFF_SECONDS = (0.5, 2.0)  # the first wait while MongoDB is down, and the longest

Key = tuple[int, int, bool]  # room, user, whether the document is to be removed

logger = logging.getLogger(__name__)


class WriteBehind:
    """Belongs to one event loop; MongoDB is spoken to in threads of its own."""

    def __init__(self, process: str, turned: Callable[[], None]):
        self.mongodb = Breaker("MongoDB stores nothing", "MongoDB answers again", turned=turned)
        self._process = process
        self._marks: dict[Key, Mark] = {}
        self._writing: dict[Key, Mark] = {}
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
            except Exception as error:
                why = last_seen.reason(error)
                self.mongodb.failed(why or error, why)
                wait = min(wait * 2, BACK_OFF_SECONDS[1])

    async def store(self) -> None:
        self._something.clear()
        while self._marks or self._seen_at:
            seen_at, self._seen_at = self._seen_at, 0
            self._take()
            try:
                marks = list(self._writing.values())
                await self._in_thread(last_seen.write, marks, self._process, seen_at)
                self._writing = {}
            except Exception:
                self._seen_at = max(self._seen_at, seen_at)
                raise
            finally:
                self._put_back()
            self.mongodb.answered()

    async def leave(self) -> None:
        """Before the end: store what is noted; if that is much, leave it to others in one piece."""
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
                await self._in_thread(last_seen.write, marks[start : start + BATCH_MAX])
            await self._in_thread(farewells.forget, name)

    async def orphans(self, live: list[str], before: int, limit: int) -> list[Orphan]:
        return await self._in_thread(last_seen.orphans, live, before, limit)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _take(self) -> None:
        for key in list(self._marks)[:BATCH_MAX]:
            self._writing[key] = self._marks.pop(key)

    def _put_back(self) -> None:
        for key, mark in self._writing.items():
            later, removal = self._marks.get(key), self._marks.get((mark.room, mark.user, True))
            if later or not removal:
                self._marks[key] = later.after(mark) if later else mark
        self._writing = {}
        if self._marks or self._seen_at:
            self._something.set()

    async def _in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)


def _keys(mark: Mark) -> tuple[Key, Key]:
    return (mark.room, mark.user, mark.removed), (mark.room, mark.user, not mark.removed)
