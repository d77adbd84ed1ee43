"""The original's own load on its own wire: its users sign in, list the rooms, make one each, and
talk in room 1 over STOMP in SockJS. One worker of ours with all its stores on the servers' core.

In the original's record of 999 users 41 % of the lists failed, after 11 s on average, and 15 % of
the sign-ins, after 20 s. Not part of it here: the socket for participants.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import psycopg

from bench import cpu
from bench.scenarios import hand
from bench.scenarios.people import people, rooms
from bench.scenarios.visitor import PASSWORD, Seen, Visitor
from bench.servers import HOME, ROOT, SERVER_CORE, Servers, on_core

USERS, SHORT_USERS = 999, 200
ARRIVALS = 6  # a second: 66 requests a second, where the original's record had 52
SEATS = 1_500
GOAL_LIST_MS = 100
HASHED = "from django.contrib.auth.hashers import make_password as m; print(m('" + PASSWORD + "'))"


def run(servers: Servers, *, short: bool, tell: Callable[[str], None]) -> dict[str, Any]:
    users = SHORT_USERS if short else USERS
    around = hand.migrated(servers, "bench_original")
    with psycopg.connect(around["DATABASE_URL"], autocommit=True) as database:
        crowd = people(database, users, _hashed(around))
        (room,) = rooms(database, crowd[0], 1, SEATS)
        with _worker(around) as (port, pid):
            processes = {"worker": pid} | servers.pids
            before, began = _used(processes), time.perf_counter()
            seen = asyncio.run(_load(port, room, users, tell))
            took, after = time.perf_counter() - began, _used(processes)
        stored, seats = database.execute(
            "SELECT count(*) FILTER (WHERE kind = 'message'), count(DISTINCT sender_id)"
            " FROM messaging_event WHERE room_id = %s",
            [room],
        ).fetchone()
    assert stored >= seen.said, "what came back to its sender is stored"
    used = {name: after[name] - before[name] for name in processes}
    per_user = {name: round(1000 * seconds / users, 1) for name, seconds in used.items()}
    cost = {"core_used": round(sum(used.values()) / took, 2), "cpu_ms_per_user": per_user}
    return _figures(seen, users) | cost | {"stored": stored, "entered": seats}


def _used(processes: dict[str, int]) -> dict[str, float]:
    return {name: cpu.seconds([pid]) for name, pid in processes.items()}


def _hashed(around: dict[str, str]) -> str:
    """By the hasher of production; the same for all, since only checking it is measured."""
    code = "import django; django.setup(); " + HASHED
    command = on_core(SERVER_CORE, [sys.executable, "-c", code])
    done = subprocess.run(command, cwd=ROOT, env=around, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@contextmanager
def _worker(around: dict[str, str]):
    from chattalk.workers import Worker, listen

    listener = listen("127.0.0.1", 0, 1)[0]
    log = HOME / "log" / "original_load.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    worker = Worker("worker", listener, around, log)
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {SERVER_CORE})  # what we start inherits it
        worker.start()
        os.sched_setaffinity(0, before)
        worker.wait()
        yield listener.getsockname()[1], worker.process.pid
    finally:
        os.sched_setaffinity(0, before)
        worker.process.stop()
        listener.close()


async def _load(port: int, room: int, users: int, tell: Callable[[str], None]) -> Seen:
    seen, visits = Seen(), []
    for number in range(1, users + 1):
        visits.append(asyncio.create_task(Visitor(number, port, room, seen).visit()))
        if number % 50 == 0:
            tell(f"original load: {number} of {users} have come")
        await asyncio.sleep(1 / ARRIVALS)
    await asyncio.gather(*visits)
    return seen


def _figures(seen: Seen, users: int) -> dict[str, Any]:
    kinds = {kind: _spread(took) for kind, took in sorted(seen.took.items())}
    return {
        "users": users,
        "arrivals_per_second": ARRIVALS,
        "requests_ms": kinds,
        "failures": dict(seen.failed),
        "failed": seen.failed.total(),
        "lines_received": seen.lines,
        "goal_failed": 0,
        "goal_list_p99_ms": GOAL_LIST_MS,
    }


def _spread(took: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(took, n=100, method="inclusive") if len(took) > 1 else took * 99
    return {"count": len(took), "p50": round(1000 * cuts[49], 1), "p99": round(1000 * cuts[98], 1)}


if __name__ == "__main__":
    hand.main(run)
