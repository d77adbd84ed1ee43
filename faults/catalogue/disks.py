"""A17–A19: a full disk under each store."""

import asyncio

from faults.disk import SmallDisk
from faults.run import Run, scenario


@scenario("A17", "the disk of PostgreSQL is full", seeds=3, short=False)
async def postgresql_full(run: Run) -> None:
    """Who talks is refused, who runs the site is told, and what was acknowledged stays."""
    async with SmallDisk(run, "postgresql").mounted() as disk:
        crowd = await run.crowd(6, 8)
        async with crowd.talking(400, pause=0.03):
            await asyncio.sleep(1)
            async with disk.full():
                told = await disk.told()
                await asyncio.sleep(5)
        await run.judge(crowd)
    run.bound("told", 10, told)
    run.bound("t_recover", 30)


@scenario("A18", "the disk of MongoDB is full", seeds=3, short=False)
async def mongodb_full(run: Run) -> None:
    """It holds who was here: no message waits for it, and who is here is right again after it."""
    async with SmallDisk(run, "mongodb").mounted() as disk:
        async with disk.full():
            crowd = await run.crowd(6, 8)
            async with crowd.talking(200, pause=0.03):
                told = await disk.told()
        await run.judge(crowd)
        await run.judge_presence(crowd)
    run.bound("told", 45, told)
    run.bound("ack_p99", 3, run.ack_times(0.99))


@scenario("A19", "the disk of Redis is full", seeds=1, short=False)
async def redis_full(run: Run) -> None:
    """It keeps nothing on it, so nobody notices."""
    async with SmallDisk(run, "redis").mounted() as disk:
        crowd = await run.crowd(6, 8)
        async with disk.full(), crowd.talking(200, pause=0.03):
            await asyncio.sleep(1)
        await run.judge(crowd)
        await run.judge_presence(crowd)
    run.bound("ack_p99", 3, run.ack_times(0.99))
