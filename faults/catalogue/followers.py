"""A20, A21: the process that runs the counters, which follow the log, dies or stands still."""

import asyncio
import time
from typing import Any

from faults import until
from faults.crowd import Crowd
from faults.run import Run, scenario
from faults.site import DATABASE
from messaging.followers.counters import Counters
from messaging.followers.lease import key

TAKEN_OVER_WITHIN = 5.0  # seconds after a death
FOLLOWED_WITHIN = 30.0  # seconds; then it counts as skipped
LOOK_EVERY = 0.02  # seconds

POSITION = """
SELECT coalesce((SELECT seq FROM messaging_followerposition
                 WHERE follower = %s AND room_id = r.id), 0), r.last_seq
FROM rooms_room r WHERE r.id = %s"""
BEHIND = """
SELECT count(*) FROM rooms_room r LEFT JOIN messaging_followerposition p
    ON p.follower = %s AND p.room_id = r.id
WHERE r.last_seq > coalesce(p.seq, 0)"""
COUNTED = "SELECT coalesce(sum(messages), 0)::bigint FROM messaging_minutecount WHERE minute >= %s"
SAID = (
    "SELECT count(*), max(created_at) FROM messaging_event WHERE room_id = %s AND kind = 'message'"
)
LAST = "SELECT max(at) FROM messaging_lastmessage WHERE room_id = %s"


class Watch:
    """What the counters had when nobody had said anything yet, and what they have then."""

    def __init__(self, run: Run) -> None:
        self._run, self._name = run, Counters.name
        self._since: Any = None
        self._before = 0

    async def begin(self) -> None:
        """From where all is followed."""
        await self._all_followed()
        ((self._since,),) = await self._ask("SELECT date_trunc('minute', now())")
        ((self._before,),) = await self._ask(COUNTED, self._since)

    async def leader(self) -> int:
        """The worker that holds the lease."""
        found = await self._run.nemesis.redis("GET", key(self._name, DATABASE))
        pids = [str(worker.process.pid) for worker in self._run.site.workers]
        pid = found.decode().split(":")[1] if found else ""
        if pid in pids:
            return pids.index(pid)
        await asyncio.sleep(LOOK_EVERY)
        return await self.leader()

    async def taken_over(self, room: int, began: float) -> float:
        """Seconds from then until all that was stored by then was followed, and something since."""
        (_, head), *_rest = await self._ask(POSITION, self._name, room)
        while (await self._ask(POSITION, self._name, room))[0][0] <= head:
            if time.monotonic() > began + FOLLOWED_WITHIN:
                break
            await asyncio.sleep(LOOK_EVERY)
        return time.monotonic() - began

    async def judge(self, crowd: Crowd) -> None:
        await self._all_followed()
        ((counted,),) = await self._ask(COUNTED, self._since)
        ((said, at),) = await self._ask(SAID, crowd.room)
        ((last,),) = await self._ask(LAST, crowd.room)
        self._run.counts["miscounted"] += abs(counted - self._before - said) + (last != at)
        self._run.note("counted", counted - self._before)

    async def _all_followed(self) -> None:
        behind = 1

        async def look() -> None:
            nonlocal behind
            while behind:
                ((behind,),) = await self._ask(BEHIND, self._name)
                await asyncio.sleep(LOOK_EVERY)

        looking = asyncio.create_task(look())
        await until(lambda: not behind, FOLLOWED_WITHIN)
        looking.cancel()

    async def _ask(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        return await asyncio.to_thread(self._run.site.rows, sql, *params)


@scenario("A20", "kill -9 of the worker that runs the counters, again and again", seeds=10)
async def leader_killed(run: Run) -> None:
    """Who talks at the other one notices nothing; all talk until the last death is over."""
    crowd, watch = await run.crowd(6, 8), Watch(run)
    await watch.begin()
    pauses = run.pauses(5 if run.is_full else 3, 0.2, 1.5)
    waits = []
    async with crowd.talking(1_500 if run.is_full else 900, pause=0.025):
        for pause in pauses:
            await asyncio.sleep(pause)
            number = await watch.leader()
            began = time.monotonic()
            killing = asyncio.create_task(run.nemesis.kill_worker(number, away=1.0))
            waits.append(await watch.taken_over(crowd.room, began))
            await killing
    await run.judge(crowd)
    await watch.judge(crowd)
    run.bound("taken_over", TAKEN_OVER_WITHIN, max(waits))


@scenario("A21", "the worker that runs the counters stands still, and goes on", seeds=3)
async def leader_paused(run: Run) -> None:
    """Longer than its lease: another one has taken over, and both believe to be the one."""
    crowd, watch = await run.crowd(6, 8), Watch(run)
    await watch.begin()
    waits = []
    async with crowd.talking(1_500 if run.is_full else 900, pause=0.025):
        for pause in run.pauses(3 if run.is_full else 2, 0.2, 1.0):
            await asyncio.sleep(pause)
            number = await watch.leader()
            worker, began = run.site.workers[number].process, time.monotonic()
            async with run.nemesis.still(worker.pid, name=worker.name):
                waits.append(await watch.taken_over(crowd.room, began))
    await run.judge(crowd)
    await watch.judge(crowd)
    run.bound("taken_over", 2 * TAKEN_OVER_WITHIN, max(waits))
