"""D6: all of it, for an hour."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from bench import cpu, load
from faults import descriptors, processes
from faults.catalogue.overload import built
from faults.crowd import Crowd
from faults.nemesis import FAST
from faults.run import Run, scenario
from faults.site import HOME

MINUTES, SHORT_MINUTES = 60, 2
TALK_SECONDS = 45  # of each minute; then all is judged, and quiet
GROWTH = {"memory": 1.05, "files": 1.1, "connections": 1.25}  # from the second quarter to the last
STEADY = 1  # the worker that nobody kills: its memory is the one that can be followed
RATE = 900  # messages a second of the load generator, to ten each


@dataclass
class Taken:
    """What the site holds when nobody is there."""

    memory: float  # MiB, of the steady worker
    files: int  # open ones, of all workers
    connections: int  # to the database
    kinds: dict[str, int]  # of the files, by what is at their other end


@scenario(
    "D6", "an hour of talk, and a fault drawn every few seconds",
    seeds=1, short=False, within=6000,
)  # fmt: skip
async def soak(run: Run) -> None:
    """A fresh room each minute, judged at its end; beside it the load generator, at the worker that
    stays. Chosen by id in the short run: two minutes."""
    await built()
    taken, steady = list[Taken](), run.site.pids[STEADY]
    plan = await asyncio.to_thread(_plan, run)
    busy, began = cpu.seconds([steady]), asyncio.get_running_loop().time()
    for minute in range(MINUTES if run.is_full else SHORT_MINUTES):
        crowd = await run.crowd(10, 10, ports=run.site.door_ports)
        pauses = run.pauses(8 if minute else 0, 1.0, 4.0)  # the first minute is the measure
        beside = asyncio.create_task(_beside(run, plan))
        async with crowd.talking(int(TALK_SECONDS / 0.1), pause=0.1):
            for pause in pauses:
                await asyncio.sleep(pause)
                await run.dice.choice(FAULTS)(run, crowd)
        await beside
        await run.judge(crowd)
        await run.judge_presence(crowd)
        await crowd.go()
        run.crowds.remove(crowd)
        run.history.forget("show")
        run.operations["minutes"] += 1
        taken.append(await _taken(run))
    passed = asyncio.get_running_loop().time() - began
    run.note("cpu", round((cpu.seconds([steady]) - busy) / passed, 2))
    run.note("taken", [vars(one) for one in taken])
    for name, growth in GROWTH.items():
        run.bound(f"{name}_grew", growth, _growth([getattr(one, name) for one in taken]), unit="×")


def _growth(taken: list[float]) -> float:
    """From the second quarter, when all pools are as full as faults make them, to the last one: of
    their medians, for a pool is larger after some faults than after others."""
    quarter = max(1, len(taken) // 4)
    return median(taken[-quarter:]) / median(taken[quarter : 2 * quarter])


def _plan(run: Run) -> Path:
    """Rooms and people for the load generator, all of them at the worker that stays."""
    plan, ports = run.site.plan(20, 10, HOME), run.site.ports
    steady = str(ports[STEADY])
    lines = [line.split(" ", 1)[1] for line in plan.read_text().splitlines()]
    plan.write_text("".join(f"{steady} {rest}\n" for rest in lines))
    return plan


async def _beside(run: Run, plan: Path) -> None:
    """It sends nothing again, so of what is said here only the number is known."""
    measure = partial(load.measure, rate=RATE, warm=1, measure=TALK_SECONDS, drain=5, doze=True)
    found = await asyncio.to_thread(measure, "chattalk", plan, "/ws/", [])
    run.operations["generated"] += found.report["sent"]
    run.operations["delivered"] += found.report["delivered"]
    run.counts["unhandled"] += found.report["closed_early"]
    run.counts["dup_shown"] += found.report["repeated"]


async def _taken(run: Run) -> Taken:
    """Some seconds after the last has gone."""
    await asyncio.sleep(3)
    pids = run.site.pids
    ((connections,),) = await asyncio.to_thread(
        run.site.rows,
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        " AND datname = current_database() AND pid <> pg_backend_pid()",
    )
    ports = {name: proxy.port for name, proxy in run.site.stores.proxies.items()}
    kinds = descriptors.held(pids, ports)
    memory = round(processes.memory(pids[STEADY]), 1)
    return Taken(memory, kinds.total(), connections, dict(kinds))


# --- what may happen ------------------------------------------------------------------------------


async def _kill(run: Run, _crowd: Crowd) -> None:
    await run.nemesis.kill_worker(0)


async def _deploy(run: Run, _crowd: Crowd) -> None:
    await run.nemesis.deploy(0)


async def _pause(run: Run, _crowd: Crowd) -> None:
    pid = run.site.workers[0].process.pid
    async with run.nemesis.still(pid, name="worker 0"):
        await asyncio.sleep(run.dice.uniform(0.5, 3))


async def _without_redis(run: Run, _crowd: Crowd) -> None:
    async with run.nemesis.without("redis"):
        await asyncio.sleep(run.dice.uniform(0, 3))


async def _without_mongodb(run: Run, _crowd: Crowd) -> None:
    async with run.nemesis.without("mongodb", signal.SIGKILL):
        await asyncio.sleep(run.dice.uniform(0, 2))


async def _without_postgresql(run: Run, _crowd: Crowd) -> None:
    async with run.nemesis.without("postgresql", FAST):
        await asyncio.sleep(run.dice.uniform(0, 1))


async def _flush(run: Run, _crowd: Crowd) -> None:
    await run.nemesis.flush()


async def _terminate(run: Run, _crowd: Crowd) -> None:
    await run.nemesis.terminate(run.dice)


async def _hold(run: Run, crowd: Crowd) -> None:
    async with run.nemesis.holding(crowd.room):
        await asyncio.sleep(run.dice.uniform(0.1, 1.5))


async def _reset(run: Run, _crowd: Crowd) -> None:
    """The lines of half of the people."""
    run.nemesis.reset(run.dice.choice(run.site.doors))


async def _slow(run: Run, _crowd: Crowd) -> None:
    door = run.dice.choice(run.site.doors)
    run.nemesis.begin("slow", "a door")
    door.be(delay=0.3, drip=200_000)
    await asyncio.sleep(run.dice.uniform(1, 3))
    door.mend()
    run.nemesis.end("slow", "a door")


async def _black_hole(run: Run, _crowd: Crowd) -> None:
    door = run.dice.choice(run.site.doors)
    run.nemesis.begin("black hole", "a door")
    door.black_hole()
    await asyncio.sleep(run.dice.uniform(1, 4))
    door.mend()
    run.nemesis.end("black hole", "a door")


FAULTS: tuple[Callable[[Run, Crowd], Awaitable[None]], ...] = (
    _kill, _deploy, _pause, _without_redis, _without_mongodb, _without_postgresql, _flush,
    _terminate, _hold, _reset, _slow, _black_hole,
)  # fmt: skip
