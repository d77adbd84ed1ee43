"""A22, A23: Redis is a cluster of Valkey, or watched by Sentinels, and a master of it dies."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from core import redis
from faults.crowd import Crowd
from faults.run import Run, scenario
from faults.site import DATABASE, HOME
from faults.valkeys import FAILURES, Cluster, Node, Watched

BACK_WITHIN = 5.0  # seconds after a death, of which 1 s passes until it counts as one
PROMOTED_WITHIN = 8.0  # by Sentinels, which also wait for each other
LOOK_EVERY = 0.05  # seconds
GIVE_UP = 30.0  # seconds


@asynccontextmanager
async def workers_on(run: Run, valkeys: Cluster | Watched) -> AsyncIterator[None]:
    """The workers have it instead of their one server."""
    await asyncio.to_thread(valkeys.start)
    try:
        await asyncio.to_thread(valkeys.wait)
        for number in range(len(run.site.workers)):
            await run.site.restart_worker(number, REDIS_URL=valkeys.url())
        yield
    finally:
        await asyncio.to_thread(valkeys.stop)


async def killed(run: Run, crowd: Crowd, node: Node, heard_by: Callable[[], int]) -> float:
    """Kill it; seconds until all workers hear of the room by another one."""
    run.nemesis.begin("kill -9", node.process.name)
    began = time.monotonic()
    await asyncio.to_thread(node.kill)
    while time.monotonic() < began + GIVE_UP:
        with suppress(*FAILURES, LookupError):
            if await asyncio.to_thread(heard_by) >= len(run.site.workers):
                break
        await asyncio.sleep(LOOK_EVERY)
    run.nemesis.end("kill -9", node.process.name)
    return time.monotonic() - began


def channel(crowd: Crowd) -> str:
    mark = redis.mark("redis://any/0", DATABASE)  # all forms have that number here
    return f"chattalk__group__{mark}.room.{crowd.room}"


@scenario("A22", "kill -9 of the master of a cluster that carries the room", seeds=5)
async def master_killed(run: Run) -> None:
    cluster = Cluster(_home("cluster"))

    async with workers_on(run, cluster):
        crowd = await run.crowd(6, 8)

        def heard_by() -> int:
            return int(
                cluster.owner(channel(crowd)).ask("PUBSUB", "SHARDNUMSUB", channel(crowd))[1]
            )

        async with crowd.talking(500 if run.is_full else 200, pause=0.03):
            await asyncio.sleep(run.dice.uniform(0.5, 2))
            back = await killed(run, crowd, cluster.owner(channel(crowd)), heard_by)
        await run.judge(crowd)
        await run.judge_presence(crowd)
    run.bound("layer_back", BACK_WITHIN, back)
    run.bound("ack_p99", 3, run.ack_times(0.99))


@scenario("A23", "kill -9 of the master that Sentinels watch", seeds=5, short=False)
async def watched_master_killed(run: Run) -> None:
    watched = Watched(_home("watched"))

    async with workers_on(run, watched):
        crowd = await run.crowd(6, 8)

        def heard_by() -> int:
            return int(watched.replica.ask("PUBSUB", "NUMSUB", channel(crowd))[1])

        async with crowd.talking(500 if run.is_full else 200, pause=0.03):
            await asyncio.sleep(run.dice.uniform(0.5, 2))
            back = await killed(run, crowd, watched.master, heard_by)
        await run.judge(crowd)
        await run.judge_presence(crowd)
    run.bound("layer_back", PROMOTED_WITHIN, back)
    run.bound("ack_p99", 3, run.ack_times(0.99))


def _home(name: str) -> Path:
    home = HOME / name
    shutil.rmtree(home, ignore_errors=True)  # of an earlier run
    return home
