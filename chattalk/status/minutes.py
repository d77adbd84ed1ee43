"""Our own store of minutes: what the status page draws, without any other program.

At the end of each minute each worker adds what it counted to the site's row of that minute: one
small statement. What could not be written is written with the next minute. Kept for KEPT.
"""

import asyncio
import logging
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from chattalk.status import figures
from chattalk.status.figures import Figures
from core.breaker import Breaker
from core.postgresql.breaker import is_outage
from core.tasks import end

MINUTE = timedelta(minutes=1)
KEPT = timedelta(days=1)
APART_SECONDS = 5.0  # the workers of a site write somewhere within these
LAST_SECONDS = 2.0  # that the end of a process waits for its last minute

# The rows in the order of their names: so two workers never wait for each other in a circle.
# Uses index: minute_figure_once.
_ADD = """
INSERT INTO chattalk_minutefigure AS m (minute, name, value)
SELECT %(minute)s, f.name, f.value
FROM unnest(%(names)s::text[], %(values)s::float8[]) AS f (name, value) ORDER BY f.name
ON CONFLICT (minute, name) DO UPDATE SET value = CASE
    WHEN split_part(m.name, '/', 1) = ANY (%(largest)s) THEN GREATEST(m.value, excluded.value)
    ELSE m.value + excluded.value END
"""
_FORGET = "DELETE FROM chattalk_minutefigure WHERE minute < %(before)s"

logger = logging.getLogger(__name__)


def minute_of(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


class Minutes:
    """Belongs to one event loop, and to a thread that waits for the database."""

    def __init__(self) -> None:
        self._told: Figures = {}
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="minutes")
        self._task: asyncio.Task[None] | None = None
        self._postgresql = Breaker("the minutes are not written", "the minutes are written again")

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        while True:
            now = timezone.now()
            await asyncio.sleep((minute_of(now) + MINUTE - now).total_seconds())
            minute = minute_of(now)
            await asyncio.sleep(random.uniform(0, APART_SECONDS))
            await self._in_thread(minute)

    async def _in_thread(self, minute: datetime, *, is_last: bool = False) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, self._write, minute, is_last)

    def _write(self, minute: datetime, is_last: bool) -> None:
        try:
            self.write(minute, is_last)
        finally:
            connection.close()

    def write(self, minute: datetime, is_last: bool = False) -> None:
        """What was counted since the last time; and what there is now, but of a process that ends,
        which has nothing any more. Nothing is raised: it is tried again in a minute."""
        counted = figures.counted()
        added = {
            name: value - self._told.get(name, 0.0)
            for name, value in counted.items()
            if value != self._told.get(name, 0.0)
        }
        try:
            _add(minute, added if is_last else added | figures.seen())
        except Exception as error:
            if is_outage(error):
                self._postgresql.failed(error)
            else:
                logger.exception("a minute could not be written")
        else:
            self._told = counted
            self._postgresql.answered()

    async def close(self) -> None:
        """What was counted in the minute that runs is not lost with the process."""
        if self._task is not None:
            await end(self._task)
        last = asyncio.ensure_future(self._in_thread(minute_of(timezone.now()), is_last=True))
        await asyncio.wait([last], timeout=LAST_SECONDS)
        self._threads.shutdown(wait=False)


def _add(minute: datetime, added: Figures) -> None:
    added_up: dict[str, Any] = {"minute": minute, "largest": figures.largest()}
    added_up |= {"names": list(added), "values": list(added.values())}
    with connection.cursor() as cursor:
        cursor.execute(_ADD, added_up)
        cursor.execute(_FORGET, {"before": minute - KEPT})
