"""What someone missed: 1,000 messages of one room out of millions; ours, page by page as the site
reads it, beside the original's query: a span of time, no order, no limit, no index."""

import json
import statistics
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg

from bench.people import people, rooms, seat
from bench.scenarios import hand
from bench.scenarios.events import fill
from bench.servers import Servers

ROOMS, MISSED = 100, 1_000
GOAL = 1_000
# As its JPA kept them: an id of its own, the rest as it came.
UNINDEXED = """
CREATE TABLE bench_unindexed (
    id bigint PRIMARY KEY, chat_id varchar(255), type varchar(255), username varchar(255),
    message varchar(255), created_at timestamp
);
INSERT INTO bench_unindexed
SELECT e.id, e.room_id::text, e.kind, u.email, e.body, e.created_at AT TIME ZONE 'UTC'
FROM messaging_event e JOIN accounts_user u ON u.id = e.sender_id ORDER BY e.id;
"""
THEIRS = """
SELECT chat_id, type, username, message, created_at FROM bench_unindexed
WHERE chat_id = %s AND created_at >= %s AND created_at <= %s
"""


def run(servers: Servers, *, short: bool, tell: Callable[[str], None]) -> dict[str, Any]:
    lines, repeats = (1_000_000, 3) if short else (10_000_000, 5)
    around = hand.migrated(servers, "bench_missed")
    with psycopg.connect(around["DATABASE_URL"], autocommit=True) as database:
        tell(f"missed: making {lines:,} lines")
        asked = _make(database, lines)
        runs: dict[str, list[dict[str, float]]] = {"ours": [], "at_once": [], "original": []}
        with hand.hands("bench.scenarios.missed", around) as (worker,):
            for turn in range(repeats):
                tell(f"missed: {turn + 1} of {repeats}")
                for name, some in runs.items():
                    some.append(worker.ask(name, **asked))
        database.execute("DROP TABLE bench_unindexed")
    servers.database("bench_missed")  # it is large
    figures: dict[str, Any] = {name: hand.medians(some) for name, some in runs.items()}
    for name in ("ours", "at_once"):
        figures[name]["ratio"] = round(figures["original"]["ms"] / figures[name]["ms"])
    within = figures["original"]["postgresql_ms"] / figures["at_once"]["postgresql_ms"]
    figures["at_once"]["postgresql_ratio"] = round(within)
    return figures | {"lines": lines, "missed": MISSED, "goal": GOAL}


def _make(database: psycopg.Connection, lines: int) -> dict[str, Any]:
    """Rooms that talk at the same time; the reader left the middle one 1,000 lines ago."""
    *talkers, reader = people(database, 10)
    many = rooms(database, reader, ROOMS, 10)
    seat(database, many, [*talkers, reader])
    last = lines // ROOMS
    fill(database, many, talkers, 1, last)
    database.execute(UNINDEXED)
    database.execute("VACUUM ANALYZE bench_unindexed")
    room, gone = many[ROOMS // 2], last - MISSED
    database.execute("UPDATE rooms_membership SET read_seq = %s WHERE user_id = %s", [gone, reader])
    at = "SELECT created_at FROM messaging_event WHERE room_id = %s AND seq = %s"
    (since,) = database.execute(at, [room, gone]).fetchone()
    return {"room": room, "reader": reader, "since": since.isoformat()}


# --- in the worker ----------------------------------------------------------------------------


def ours(room: int, reader: int, since: str) -> dict[str, float]:
    """Pages of log.UNREAD_MAX (100), each after the last line of the one before."""
    from messaging import log

    moment = datetime.fromisoformat(since)

    def pages() -> int:
        found, after = 0, 0
        more = True
        while more:
            page, more = log.missed(room, reader, since=moment, after=after)
            found, after = found + len(page), page[-1].seq
        return found

    return _timed(pages, 20)


def at_once(room: int, reader: int, since: str) -> dict[str, float]:
    """The same in one answer, as the original gives it; and PostgreSQL's part of the time."""
    from messaging import log

    moment = datetime.fromisoformat(since)
    named = {"room": room, "user": reader, "since": moment, "until": "infinity", "after": 0}
    found = _timed(lambda: len(log.missed(room, reader, since=moment, limit=MISSED)[0]), 20)
    return found | _in_postgresql(log.MISSED, named | {"limit": MISSED}, 20)


def original(room: int, reader: int, since: str) -> dict[str, float]:
    """To the second, both ends included: so it finds the line at which the reader left as well."""
    from django.db import connection

    began = datetime.fromisoformat(since).replace(microsecond=0, tzinfo=None)
    asked = [str(room), began, datetime.max]

    def read() -> int:
        with connection.cursor() as cursor:
            cursor.execute(THEIRS, asked)
            return len(cursor.fetchall()) - 1

    return _timed(read, 2) | _in_postgresql(THEIRS, asked, 2)


def _timed(read: Callable[[], int], times: int) -> dict[str, float]:
    found = [read()]  # the first warms what a running site has warm
    began = time.perf_counter()
    found += [read() for _ in range(times)]
    took = time.perf_counter() - began
    assert set(found) == {MISSED}, found
    return {"ms": 1000 * took / times}


def _in_postgresql(sql: str, asked: Any, times: int) -> dict[str, float]:
    """Without making 1,000 objects of Python of what it finds."""
    from django.db import connection

    took = []
    for _ in range(times):
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", asked)
            ((plan,),) = cursor.fetchall()
        took.append(json.loads(plan)[0] if isinstance(plan, str) else plan[0])
    return {"postgresql_ms": statistics.median(one["Execution Time"] for one in took)}


if __name__ == "__main__":
    hand.obey(ours=ours, at_once=at_once, original=original)
