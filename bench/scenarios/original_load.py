"""The original's own load on its own wire: its users sign in, list the rooms, make one each, and
talk in room 1 over STOMP in SockJS. One worker of ours with all its stores on the servers' core.

In the original's record of 999 users 41 % of the lists failed, after 11 s on average, and 15 % of
the sign-ins, after 20 s. Not part of it here: the socket for participants.
"""

import asyncio
import statistics
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

import psycopg

from bench import cpu
from bench.ours import Ours
from bench.people import people, rooms
from bench.scenarios.visitor import PASSWORD, Seen, Visitor
from bench.servers import Servers

USERS, SHORT_USERS = 999, 200
ARRIVALS = 6  # a second: 66 requests a second, where the original's record had 52
SEATS = 1_500
GOAL_LIST_MS = 100
STORED = """
SELECT count(*) FILTER (WHERE kind = 'message'), count(DISTINCT sender_id)
FROM messaging_event WHERE room_id = %s"""
HASHED = "from django.contrib.auth.hashers import make_password as m; print(m('" + PASSWORD + "'))"


def run(servers: Servers, *, short: bool, tell: Callable[[str], None]) -> dict[str, Any]:
    users, site = SHORT_USERS if short else USERS, Ours()
    try:
        site.start(servers)
        seen, room, cost = _visited(site, servers, users, tell)
    finally:
        site.stop()
    with psycopg.connect(site.database) as database:
        stored, seats = database.execute(STORED, [room]).fetchone()
    assert stored >= seen.said, "what came back to its sender is stored"
    return _figures(seen, users) | cost | {"stored": stored, "entered": seats}


def _visited(
    site: Ours, servers: Servers, users: int, tell: Callable[[str], None]
) -> tuple[Seen, int, dict[str, Any]]:
    """What they met, in which room they talked, and what that took of the core."""
    room = welcome(site, users)
    stores = {name: [pid] for name, pid in servers.pids.items()}
    seen, used, took = visits(site, stores, room, range(1, users + 1), ARRIVALS, tell)
    per_user = {name: round(1000 * seconds / users, 1) for name, seconds in used.items()}
    return (
        seen,
        room,
        {"core_used": round(sum(used.values()) / took, 2), "cpu_ms_per_user": per_user},
    )


def welcome(site: Ours, users: int) -> int:
    """Their accounts, and the room in which they talk. Passwords are by the hasher of production;
    the same for all, since only checking it is measured."""
    password = site.manage("shell", "--no-imports", text=HASHED).strip()
    with psycopg.connect(site.database, autocommit=True) as database:
        crowd = people(database, users, password)
        (room,) = rooms(database, crowd[0], 1, max(SEATS, users))
    return room


def visits(
    site: Ours, stores: Mapping[str, list[int]], room: int, numbers: Collection[int], rate: float,
    tell: Callable[[str], None],
) -> tuple[Seen, dict[str, float], float]:  # fmt: skip
    """These users come, so many a second; what they met, the CPU time that it took, and how
    long."""
    processes = {"worker": site.pids} | stores
    before, began = _used(processes), time.perf_counter()
    seen = asyncio.run(_load(site.port, room, numbers, rate, tell))
    took, after = time.perf_counter() - began, _used(processes)
    return seen, {name: after[name] - before[name] for name in processes}, took


def _used(processes: Mapping[str, list[int]]) -> dict[str, float]:
    return {name: cpu.seconds(pids) for name, pids in processes.items()}


async def _load(
    port: int, room: int, numbers: Collection[int], rate: float, tell: Callable[[str], None]
) -> Seen:
    """An open loop: each comes when it is time, whatever those before have got."""
    seen, under_way, began = Seen(), [], time.monotonic()
    for count, number in enumerate(numbers, start=1):
        under_way.append(asyncio.create_task(Visitor(number, port, room, seen).visit()))
        if count % 50 == 0:
            tell(f"original load: {count} of {len(numbers)} have come")
        await asyncio.sleep(max(0.0, began + count / rate - time.monotonic()))
    await asyncio.gather(*under_way)
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
