"""What a member waits for as the table grows: missed messages, catching up, saying something.

All of it is to stay flat from 10,000 rows to ten million.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg

from bench.people import people, rooms, seat
from bench.scenarios import hand
from bench.scenarios.events import fill
from bench.servers import Servers

ROOMS, BEHIND = 100, 50  # lines that the reader is behind in each room
TIMES, WARM = 200, 10  # of each question, each in another room than the one before
REPEATS = 3


def run(servers: Servers, *, short: bool, tell: Callable[[str], None]) -> dict[str, Any]:
    sizes = [10_000, 100_000, 1_000_000] + ([] if short else [10_000_000])
    around = hand.migrated(servers, "bench_rows")
    figures: dict[str, Any] = {}
    with psycopg.connect(around["DATABASE_URL"], autocommit=True) as database:
        *talkers, reader = people(database, 10)
        many = rooms(database, reader, ROOMS, 10)
        seat(database, many, [*talkers, reader])
        with hand.hands("bench.scenarios.rows", around) as (worker,):
            for size in sizes:
                tell(f"rows: {size:,}")
                _grow(database, many, talkers, reader, size)
                given = {"rooms": many, "talker": talkers[0], "reader": reader}
                given["last"] = size // ROOMS
                some = [worker.ask("answers", **given) for _ in range(REPEATS)]
                figures[f"{size}"] = hand.medians(some)
    servers.database("bench_rows")  # it is large
    first, last = figures[f"{sizes[0]}"], figures[f"{sizes[-1]}"]
    growth = {name: round(last[name] / first[name], 2) for name in first}
    return {"median_ms": figures, "growth": growth, "rooms": ROOMS, "behind": BEHIND}


def _grow(
    database: psycopg.Connection, many: list[int], talkers: list[int], reader: int, size: int
) -> None:
    last = size // ROOMS
    # What was said while the smaller table was measured goes: each room is as long as the others.
    database.execute("DELETE FROM messaging_event WHERE client_id IS NOT NULL")
    (have,) = database.execute(
        "SELECT coalesce(max(seq), 0) FROM messaging_event WHERE room_id = %s", many[:1]
    ).fetchone()
    fill(database, many, talkers, have + 1, last)
    moved = "UPDATE rooms_membership SET read_seq = %s WHERE user_id = %s"
    database.execute(moved, [last - BEHIND, reader])


# --- in the worker ----------------------------------------------------------------------------


def answers(rooms: list[int], talker: int, reader: int, last: int) -> dict[str, float]:
    """The median milliseconds of each question, on Django's connection as pages ask it."""
    from messaging import log
    from messaging.live.drafts import Draft
    from messaging.log.event import Person

    person = Person(talker, "Test 1")

    def post(room: int) -> int:
        draft = Draft(room, person, uuid4(), "hello there, how are you all today")
        return len(log.rows(log.POST, log.post_params([draft])))

    return {
        "missed": _median(
            lambda room: len(log.missed(room, reader, since=None, limit=BEHIND)[0]),
            rooms,
            BEHIND,
        ),
        "after": _median(
            lambda room: len(log.history(room, after=last - BEHIND, limit=BEHIND)),
            rooms,
            BEHIND,
        ),
        "post": _median(post, rooms, 1),
    }


def _median(ask: Callable[[int], int], rooms: list[int], expected: int) -> float:
    took = []
    for number in range(-WARM, TIMES):
        began = time.perf_counter()
        found = ask(rooms[number % len(rooms)])
        took += [1000 * (time.perf_counter() - began)] if number >= 0 else []
        assert found == expected, found
    return statistics.median(took)


if __name__ == "__main__":
    hand.obey(answers=answers)
