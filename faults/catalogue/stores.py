"""A7–A16: the death, the pause and the weakness of a store."""

import asyncio
import signal

from faults.nemesis import FAST, IMMEDIATE
from faults.run import Run, scenario
from faults.visitor import judge_visitors, visitors


@scenario("A7", "kill -9 of Redis, and a restart without its data", seeds=5)
async def redis_killed(run: Run) -> None:
    """Talking goes on meanwhile, by both workers: the database is the truth."""
    crowd = await run.crowd(6, 10)
    away = [1.0, 30.0] if run.is_full else [1.0, 4.0]
    async with crowd.talking(int(sum(away) + 6) * 30, pause=0.03):
        for seconds in away:
            await asyncio.sleep(1)
            async with run.nemesis.without("redis"):
                await asyncio.sleep(seconds)
    await run.judge(crowd)
    await run.judge_presence(crowd)
    run.bound("t_caught_up", 30)
    run.bound("ack_p99", 3, run.ack_times(0.99))


@scenario("A8", "Redis stands still", seeds=3, short=False)
async def redis_paused(run: Run) -> None:
    crowd = await run.crowd(6, 10)
    pauses = [3.0, 20.0] if run.is_full else [3.0, 6.0]
    async with crowd.talking(int(sum(pauses) + 4) * 30, pause=0.03):
        for seconds in pauses:
            await asyncio.sleep(1)
            async with run.nemesis.still(*run.nemesis.pids("redis"), name="redis"):
                await asyncio.sleep(seconds)
    await run.judge(crowd)
    run.bound("ack_p99", 3, run.ack_times(0.99))


@scenario("A9", "Redis is flushed, and takes nothing more", seeds=3)
async def redis_full(run: Run) -> None:
    crowd = await run.crowd(6, 10)
    async with crowd.talking(600 if run.is_full else 350, pause=0.03):
        await asyncio.sleep(1)
        await run.nemesis.flush()
        await asyncio.sleep(3)
        run.nemesis.begin("maxmemory", "redis")
        await run.nemesis.redis("CONFIG", "SET", "maxmemory", "1")
        await asyncio.sleep(4)
        await run.nemesis.redis("CONFIG", "SET", "maxmemory", "0")
        run.nemesis.end("maxmemory", "redis")
    await run.judge(crowd)
    await run.judge_presence(crowd)
    run.bound("t_caught_up", 30)


@scenario("A10", "PostgreSQL is restarted, fast and by a crash", seeds=5)
async def postgres_restarted(run: Run) -> None:
    crowd = await run.crowd(6, 8)
    async with crowd.talking(600 if run.is_full else 300, pause=0.02):
        for how in (FAST, IMMEDIATE, signal.SIGKILL) if run.is_full else (FAST, IMMEDIATE):
            await asyncio.sleep(run.dice.uniform(0.5, 2))
            async with run.nemesis.without("postgresql", how):
                await asyncio.sleep(run.dice.uniform(0, 2))
    await run.judge(crowd)
    run.bound("t_recover", 10)
    run.bound("answer_p99", 3, run.answer_times(0.99))


@scenario("A11", "PostgreSQL stands still, and has no connection left", seeds=3)
async def postgres_paused(run: Run) -> None:
    crowd = await run.crowd(6, 8)
    seconds = 20 if run.is_full else 8
    async with crowd.talking(600 if run.is_full else 300, pause=0.02):
        await asyncio.sleep(1)
        async with run.nemesis.still(*run.nemesis.pids("postgresql"), name="postgresql"):
            await asyncio.sleep(seconds)
        await asyncio.sleep(2)
        async with run.nemesis.no_connections():
            await asyncio.sleep(5)
    cut_off = sum(len(member.closes) for member in crowd.all)
    await run.judge(crowd)
    run.bound("t_recover", 5)
    run.bound("answer_p99", 3, run.answer_times(0.99))
    run.bound("sockets_dropped", 0, cut_off, unit="")


@scenario("A12", "PostgreSQL only reads", seeds=3, short=False)
async def postgres_read_only(run: Run) -> None:
    crowd = await run.crowd(6, 8)
    async with crowd.talking(300, pause=0.02):
        await asyncio.sleep(1)
        read_only = run.nemesis.postgres_with("default_transaction_read_only", "on", "off")
        async with read_only:
            await asyncio.sleep(5)
    await run.judge(crowd)
    run.bound("t_recover", 5)


@scenario("A13", "kill -9 of MongoDB, and a restart at once", seeds=3)
async def mongodb_killed(run: Run) -> None:
    """It holds who was here and when they left: no message."""
    crowd = await run.crowd(6, 8)
    async with crowd.talking(400, pause=0.02):
        for _ in range(3 if run.is_full else 1):
            await asyncio.sleep(1)
            async with run.nemesis.without("mongodb"):
                pass
    await run.judge(crowd)
    await run.judge_presence(crowd)


@scenario("A14", "MongoDB is away for a minute", seeds=2, short=False)
async def mongodb_away(run: Run) -> None:
    crowd = await run.crowd(6, 8)
    async with crowd.talking(1500, pause=0.04), run.nemesis.without("mongodb"):
        await asyncio.sleep(60)
    await run.judge(crowd)
    await run.judge_presence(crowd)
    run.bound("ack_p99", 3, run.ack_times(0.99))


@scenario("A16", "everything dies at once: the power is cut", seeds=5)
async def power_cut(run: Run) -> None:
    """In the middle of a talk, and of a coming and going at the door of another room."""
    crowd, site, seats = await run.crowd(6, 8), run.site, 8
    room, people = await visitors(run, 12, seats)
    async with crowd.talking(400, pause=0.02):
        coming = [asyncio.create_task(one.come_and_go(6)) for one in people]
        await asyncio.sleep(run.dice.uniform(1, 2))
        for worker in site.workers:
            worker.process.signal(signal.SIGKILL)
        async with (
            run.nemesis.without("mongodb"),
            run.nemesis.without("redis"),
            run.nemesis.without("postgresql", IMMEDIATE),
        ):
            pass
        for number in range(len(site.workers)):
            await run.nemesis.start_worker(number)
        await asyncio.gather(*coming)
        await asyncio.gather(*(one.join() for one in people))
    await run.judge(crowd)
    await judge_visitors(run, room, people, expected=seats)
    await run.judge_presence(crowd)
    run.bound("t_recover", 30)
