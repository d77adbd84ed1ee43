"""R1–R6: who dies again while it is being started, by the site's own supervisor."""

import asyncio
import signal

from faults.kept import kept
from faults.member import Member
from faults.run import Run, scenario

EACH = ("worker 0", "mongodb", "redis", "postgresql")


@scenario("R1", "kill -9 of every part and of its successor, all in one talk", seeds=5)
async def all_killed_twice(run: Run) -> None:
    crowd = await run.crowd(6, 8)
    async with kept(run) as site, crowd.talking(400, pause=0.02):
        killed = []
        for name in EACH:
            await asyncio.sleep(run.dice.uniform(0.2, 0.8))
            killed.append(asyncio.create_task(site.kill_twice(name, run.dice.uniform(0.1, 1.0))))
        await asyncio.gather(*killed)
    run.bound("others_ended", 0, len(site.ended()) - len(EACH), unit="")
    await run.judge(crowd)
    await run.judge_presence(crowd)
    run.bound("t_recover", 15)


@scenario("R2", "kill -9 of a worker, and of its successor a second later", seeds=5, short=False)
async def worker_killed_twice(run: Run) -> None:
    """Those who are at the other worker do not notice."""
    crowd = await run.crowd(8, 8)
    before = _closes(crowd.all[1::2])
    async with kept(run) as site, crowd.talking(500, pause=0.02):
        await asyncio.sleep(1)
        await site.kill_twice("worker 0", 1.0)
        await asyncio.sleep(1)
        await site.kill_twice("worker 0", run.dice.uniform(0, 3))
    run.bound("others_ended", 0, len(site.ended()) - 1, unit="")
    run.bound("others_closed", 0, _closes(crowd.all[1::2]) - before, unit="")
    await run.judge(crowd)
    run.bound("t_recover", 5)
    await run.judge_presence(crowd)


@scenario("R3", "kill -9 of MongoDB, and of its successor", seeds=3, short=False)
async def mongodb_killed_twice(run: Run) -> None:
    await _store_killed_twice(run, "mongodb")


@scenario("R4", "kill -9 of Redis, and of its successor", seeds=3, short=False)
async def redis_killed_twice(run: Run) -> None:
    await _store_killed_twice(run, "redis")


async def _store_killed_twice(run: Run, name: str) -> None:
    """No message waits for it, and no socket is cut off."""
    crowd = await run.crowd(6, 8)
    before = _closes(crowd.all)
    async with kept(run) as site, crowd.talking(500, pause=0.02):
        for _ in range(3):
            await asyncio.sleep(1)
            await site.kill_twice(name, run.dice.uniform(0, 1))
    run.bound("others_ended", 0, len(site.ended()) - 1, unit="")
    run.bound("sockets_dropped", 0, _closes(crowd.all) - before, unit="")
    await run.judge(crowd)
    await run.judge_presence(crowd)
    run.bound("ack_p99", 3, run.ack_times(0.99))


def _closes(members: list[Member]) -> int:
    """How often they were cut off so far."""
    return sum(len(member.closes) for member in members)


@scenario("R5", "kill -9 of PostgreSQL, and again 0.3 s into its recovery", seeds=5, short=False)
async def postgres_killed_twice(run: Run) -> None:
    crowd = await run.crowd(6, 8)
    async with kept(run) as site, crowd.talking(600, pause=0.02):
        for pause in (0.3, run.dice.uniform(0, 1)):
            await asyncio.sleep(1)
            await site.kill_twice("postgresql", pause)
    run.bound("others_ended", 0, len(site.ended()) - 1, unit="")
    await run.judge(crowd)
    run.bound("t_recover", 10)
    run.bound("answer_p99", 3, run.answer_times(0.99))


@scenario("R6", "PostgreSQL is killed, and can't write its log for a while", seeds=3, short=False)
async def log_not_writable(run: Run) -> None:
    """Its supervisor says why, tries again, and lets the others be."""
    crowd = await run.crowd(6, 8)
    log = run.site.stores["postgresql"].home / "pg_wal"
    async with kept(run) as site, crowd.talking(600, pause=0.02):
        await asyncio.sleep(1)
        run.nemesis.begin("mode 0 of pg_wal", "postgresql")
        log.chmod(0)
        try:
            site.parts["postgresql"].process.signal(signal.SIGKILL)
            await site.tells("Permission denied")
            await asyncio.sleep(run.dice.uniform(1, 5))
        finally:
            log.chmod(0o700)
        await site.back("postgresql")
        run.nemesis.end("mode 0 of pg_wal", "postgresql")
    run.bound("others_ended", 0, len(site.ended()) - 1, unit="")
    await run.judge(crowd)
    run.bound("t_recover", 10)
    run.bound("answer_p99", 3, run.answer_times(0.99))
