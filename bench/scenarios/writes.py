"""Durable writes, 50 in flight, each acknowledged after COMMIT: ours by the writer's group commit,
with seat, identity and order; beside them Django's `acreate` of a plain message. Both on the event
loop that workers run on."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import psycopg
import uvloop

from bench import cpu
from bench.people import people, rooms, seat
from bench.scenarios import hand
from bench.servers import Servers

IN_FLIGHT = 50
ROOMS = 50
BODY = "x" * 200
GOALS = {"G5": 25, "S11": 18}
PLAIN = """
CREATE TABLE bench_message (
    id bigserial PRIMARY KEY, room varchar(80) NOT NULL, sender varchar(254) NOT NULL,
    body text NOT NULL, created_at timestamptz NOT NULL
);
CREATE INDEX ON bench_message (room, id);
"""


def run(servers: Servers, *, short: bool, tell: Callable[[str], None]) -> dict[str, Any]:
    seconds, repeats = (1.5, 3) if short else (5, 5)
    around = hand.migrated(servers, "bench_writes")
    with psycopg.connect(around["DATABASE_URL"], autocommit=True) as database:
        database.execute(PLAIN)
        members = people(database, IN_FLIGHT)
        many = rooms(database, members[0], ROOMS, IN_FLIGHT)
        seat(database, many, members)
        given = {"seconds": seconds, "stores": [servers.pids["PostgreSQL"]]}
        talks = {"one_room": many[:1], "fifty_rooms": many}
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in (*talks, "acreate")}
        with hand.hands("bench.scenarios.writes", around) as (worker,):
            for turn in range(repeats):
                tell(f"writes: {turn + 1} of {repeats}")
                for name, room_ids in talks.items():
                    asked = {"room_ids": room_ids, "person_ids": members}
                    runs[name].append(worker.ask("ours", **asked, **given))
                runs["acreate"].append(worker.ask("plain", **given))
        _check(database, runs)
    return _figures(runs)


def _check(database: psycopg.Connection, runs: dict[str, list[dict[str, float]]]) -> None:
    """What was acknowledged is there, and the logs have no hole."""
    said = sum(one["messages"] for name, some in runs.items() if name != "acreate" for one in some)
    stored, heads = database.execute(
        "SELECT (SELECT count(*) FROM messaging_event), sum(last_seq) FROM rooms_room"
    ).fetchone()
    assert said == stored == heads, (said, stored, heads)
    (plain,) = database.execute("SELECT count(*) FROM bench_message").fetchone()
    assert plain == sum(one["messages"] for one in runs["acreate"])


def _figures(runs: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    figures: dict[str, Any] = {name: hand.medians(some) for name, some in runs.items()}
    plain = figures["acreate"]
    for name in ("one_room", "fifty_rooms"):
        for unit in ("per_second", "per_cpu_second"):
            figures[name][f"{unit}_ratio"] = round(figures[name][unit] / plain[unit], 1)
    return figures | {"in_flight": IN_FLIGHT, "bytes": len(BODY), "goals": GOALS}


# --- in the worker ----------------------------------------------------------------------------


def ours(
    room_ids: list[int], person_ids: list[int], seconds: float, stores: list[int]
) -> dict[str, float]:
    from messaging import services
    from messaging.live import node
    from messaging.log.event import Person

    async def talk() -> dict[str, float]:
        def say(number: int) -> Callable[[], Awaitable[Any]]:
            room = room_ids[number % len(room_ids)]
            person = Person(person_ids[number], f"Test {number}")
            return lambda: services.apost(room, person, BODY, uuid4())

        try:
            return await _in_flight(say, seconds, stores)
        finally:
            await node.close()

    return uvloop.run(talk())


def plain(seconds: float, stores: list[int]) -> dict[str, float]:
    from bench.scenarios.plain_message import Message

    def say(number: int) -> Callable[[], Awaitable[Any]]:
        said = {"room": "Room 1", "sender": f"test{number}@test.com", "body": BODY}
        return lambda: Message.objects.acreate(**said)

    return uvloop.run(_in_flight(say, seconds, stores))


async def _in_flight(
    say: Callable[[int], Callable[[], Awaitable[Any]]], seconds: float, stores: list[int]
) -> dict[str, float]:
    """As many tasks as messages are in flight, each saying the next when the last is stored."""
    acts = [say(number) for number in range(IN_FLIGHT)]
    warm = await asyncio.gather(*(act() for act in acts for _ in range(2)))
    processes = [os.getpid(), *stores]
    used, began = cpu.seconds(processes), time.perf_counter()

    async def one(act: Callable[[], Awaitable[Any]]) -> int:
        said = 0
        while time.perf_counter() - began < seconds:
            await act()
            said += 1
        return said

    said = sum(await asyncio.gather(*map(one, acts)))
    took, used = time.perf_counter() - began, cpu.seconds(processes) - used
    return {
        "messages": said + len(warm),
        "per_second": said / took,
        "per_cpu_second": said / max(used, 1 / cpu.TICKS),
    }


if __name__ == "__main__":
    hand.obey(ours=ours, plain=plain)
