"""Followers at work in this process: each while it holds its lease, woken by hints and by a sweep.

PostgreSQL is asked in a thread of the follower's own. Whatever fails is tried again; what one room
makes fail stops no other one.
"""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from django.db import connection

from core.breaker import Breaker
from core.postgresql.breaker import is_outage
from core.tasks import end
from core.text import first_line
from messaging.followers import gauges, positions, steps
from messaging.followers.follower import Follower, Postponed
from messaging.followers.lease import RENEW_SECONDS, TRY_SECONDS, Lease
from messaging.followers.positions import Overtaken
from messaging.followers.waiting import WaitingRooms
from messaging.live.node import Node

SWEEP_SECONDS = 5.0  # between two looks at the rooms in which something happened lately
WHOLE_SWEEP_SECONDS = 300.0  # and at all rooms, closed ones too
AGAIN_SECONDS = 1.0  # after a step that was not possible
ROOMS_MAX = 256  # in one step
SWEEP_MAX = 2_000  # rooms that one look finds

Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)


class Runner:
    """One follower. It works while `leads` says so."""

    def __init__(self, follower: Follower, lease: Lease) -> None:
        self._follower, self._lease = follower, lease
        self.name = follower.name
        self._threads = ThreadPoolExecutor(1, thread_name_prefix=f"follower-{self.name}")
        self._rooms = WaitingRooms()
        self._woken = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._has_begun = self._is_told_to_sweep = False
        self._swept_at = self._all_swept_at = self._stepped_at = float("-inf")
        told = f"the follower {self.name}"
        self._postgresql = Breaker(f"{told} waits", f"{told} goes on")
        self.leads = False

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._hold()), loop.create_task(self._follow())]

    def look(self, rooms: Sequence[int]) -> None:
        """A hint: these rooms grew; or, if it names none, many did."""
        if self.leads:
            self._rooms.add(rooms)
            self._is_told_to_sweep |= not rooms
            self._woken.set()

    async def close(self) -> None:
        await end(*self._tasks)
        self._threads.shutdown(wait=False)  # a step that runs ends by itself
        await self._lease.release()

    # --- who leads ----------------------------------------------------------------------------

    async def _hold(self) -> None:
        while True:
            try:
                self._turn_to(await self._lease.hold())
            except Exception as error:
                self._tell(error)
            await asyncio.sleep(RENEW_SECONDS if self.leads else TRY_SECONDS)

    def _turn_to(self, leads: bool) -> None:
        if leads and not self.leads:
            self._rooms.clear()
            self._look_everywhere()  # nobody tells what the one before us left
        if leads != self.leads:
            self.leads = leads
            self._woken.set()

    def _look_everywhere(self) -> None:
        self._all_swept_at, self._is_told_to_sweep = float("-inf"), True

    # --- the work -----------------------------------------------------------------------------

    async def _follow(self) -> None:
        while True:
            self._woken.clear()
            try:
                if self.leads:
                    await self._turn()
            except Exception as error:
                self._tell(error)
                self._look_everywhere()  # which rooms it was at nobody knows any more
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                await self._rest()

    async def _turn(self) -> None:
        if not self._has_begun:
            self._has_begun = await self._ask(steps.begin, self._follower)
        elif self._is_time_to_sweep():
            await self._sweep()
        elif not self._gathering() and (rooms := self._rooms.take(ROOMS_MAX)):
            self._stepped_at = time.monotonic() if len(rooms) < ROOMS_MAX else float("-inf")
            await self._take(rooms)

    async def _rest(self) -> None:
        """Until there is something to do."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pause()):
                await self._woken.wait()

    def _pause(self) -> float | None:
        if not self.leads:
            return None
        if not self._has_begun:
            return TRY_SECONDS
        if self._is_told_to_sweep:
            return 0.0
        sweep = max(0.0, self._swept_at + SWEEP_SECONDS - time.monotonic())
        rooms = self._rooms.wait()
        return sweep if rooms is None else min(sweep, max(rooms, self._gathering()))

    def _gathering(self) -> float:
        """Seconds for which more is let come together."""
        return max(0.0, self._stepped_at + self._follower.gather_seconds - time.monotonic())

    def _is_time_to_sweep(self) -> bool:
        is_late = time.monotonic() >= self._swept_at + SWEEP_SECONDS
        return is_late or self._is_told_to_sweep

    async def _sweep(self) -> None:
        """All rooms from time to time, and where the last look is so long ago that what happened
        lately is not all."""
        now, self._is_told_to_sweep = time.monotonic(), False
        is_whole = now >= self._all_swept_at + WHOLE_SWEEP_SECONDS
        if is_whole or now >= self._swept_at + positions.RECENT_SECONDS / 2:
            await self._sweep_all()
            self._all_swept_at = now
        else:
            look = positions.behind_lately
            found = await self._ask(look, self.name, limit=SWEEP_MAX)
            self._rooms.add(found)
        self._swept_at = now
        if self._rooms.wait() is None:
            self._postgresql.answered()

    async def _sweep_all(self) -> None:
        after = 0
        while True:
            look = positions.behind
            found = await self._ask(look, self.name, after=after, limit=SWEEP_MAX)
            self._rooms.add(found)
            if len(found) < SWEEP_MAX or not self.leads:
                return
            after = found[-1]

    async def _take(self, rooms: list[int]) -> None:
        """A step in these rooms; if it fails, in each of them alone, to see which one it is."""
        try:
            step = await self._ask(steps.take, self._follower, rooms)
        except Exception as error:
            if is_outage(error) or isinstance(error, Overtaken):
                self._rooms.add(rooms)
                raise
            for room in rooms if len(rooms) > 1 else ():
                await self._take([room])
            if len(rooms) == 1:
                self._failed(rooms[0], error)
            return
        if step is None:  # another process takes one, as when nobody holds a lease
            self._rooms.add(rooms)
            await asyncio.sleep(TRY_SECONDS)
            return
        self._postgresql.answered()  # to read would say nothing: it may be that it only reads
        if step.more:
            self._stepped_at = float("-inf")  # enough has come together
        self._rooms.went_well(rooms)
        self._rooms.add(step.more)

    async def _ask(self, function: Callable[..., Answer], *args: Any, **named: Any) -> Answer:
        def asked() -> Answer:
            try:
                return function(*args, **named)
            finally:
                connection.close()  # to the pool: others want it more than who waits for a hint

        return await asyncio.get_running_loop().run_in_executor(self._threads, asked)

    # --- what is told -------------------------------------------------------------------------

    def _failed(self, room: int, error: Exception) -> None:
        many = self._rooms.failed(room)
        told = f"the follower {self.name} failed in room {room}, {many} times so far"
        if isinstance(error, Postponed):
            logger.warning("%s: %s", told, first_line(error))
        else:
            logger.error(told, exc_info=error if many == 1 else None)

    def _tell(self, error: Exception) -> None:
        if isinstance(error, Overtaken):
            logger.info("the follower %s was overtaken, and looks again", self.name)
        elif is_outage(error):
            self._postgresql.failed(error)
        else:
            logger.error("the follower %s failed, and begins again", self.name, exc_info=error)


class Runners:
    """All followers, as far as they are this process's."""

    def __init__(self, node: Node, followers: Iterable[Follower]) -> None:
        who = f"{socket.gethostname()}:{os.getpid()}:{node.id}"
        self._runners = [Runner(one, Lease(one.name, who)) for one in followers]
        node.growth.grown = self._look

    def start(self) -> None:
        gauges.leading = self._leading
        for runner in self._runners:
            runner.start()

    def _leading(self) -> dict[str, bool]:
        return {runner.name: runner.leads for runner in self._runners}

    def _look(self, rooms: Sequence[int]) -> None:
        for runner in self._runners:
            runner.look(rooms)

    async def close(self) -> None:
        gauges.leading = dict
        for runner in self._runners:
            await runner.close()
