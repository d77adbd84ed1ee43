"""A reconnect storm: 1,000 clients come back at once, each has missed 50 messages (G8).

Counted in CPU time of the server and its database, per client: the catch-up alone, on sockets that
are open, and the whole reconnect with its handshake, which no chat server can save.
"""

from collections.abc import Callable
from statistics import median
from typing import Any

import psycopg

from bench import load
from bench.figures import Figure
from bench.ours import Ours
from bench.servers import Servers
from bench.setups import Setup, setups

CLIENTS, MISSED = 1000, 50
BODY = "x" * 200


def run(servers: Servers, *, short: bool, tell: Callable[[str], None]) -> dict[str, Any]:
    found: dict[str, list[float]] = {}
    queries: list[float] = []

    def note(name: str, run: load.Run) -> None:
        if run.faults:
            raise load.Invalid(f"catch-up, {name}: {', '.join(run.faults)}")
        found.setdefault(name, []).append(CLIENTS / run.cpu_seconds)

    with setups(servers, tell) as those:
        ours, theirs = those.get("ours", "uvicorn")
        site: Ours = ours.server
        plan, log = ours.plan(1, CLIENTS), theirs.plan(1, CLIENTS)
        room = log.read_text().split()[1]
        their_after = theirs.server.fill(room, 1, MISSED, BODY)
        after = say_something(ours, plan) - MISSED
        for turn in range(2 if short else 4):
            tell(f"catch-up, round {turn + 1}")
            note("theirs", catch_up(theirs, log, their_after))
            note("theirs, reconnect", catch_up(theirs, log, their_after, reconnect=True))
            note("memory", catch_up(ours, plan, after))
            before = _statements(site)
            note("memory, reconnect", catch_up(ours, plan, after, reconnect=True))
            queries.append((_statements(site) - before) / CLIENTS)
            site.restart()  # it remembers nothing
            note("database", catch_up(ours, plan, after))
            say_something(ours, plan)
            after = _head(site) - MISSED
    return _figures({name: median(some) for name, some in found.items()}, median(queries))


def catch_up(one: Setup, plan: Any, after: int, **options: Any) -> load.Run:
    storm = one.load(plan, after=after, missed=MISSED, connecting=200, **options)
    if not options:
        storm.until("connected")
    return storm.measured(one.pids)


def say_something(one: Setup, plan: Any) -> int:
    """Until the log is longer than what anyone misses; says where it ends."""
    while (head := _head(one.server)) < MISSED:
        one.measure(plan, in_flight=8, warm=0, measure=0.2)
    return head


def _head(site: Ours) -> int:
    with psycopg.connect(site.database) as database:
        row = database.execute("SELECT max(last_seq) FROM rooms_room").fetchone()
    return int(row[0]) if row else 0


def _statements(site: Ours) -> int:
    """So far. Each of ours that sockets ask is a transaction."""
    with psycopg.connect(site.database, autocommit=True) as database:
        database.execute("SELECT pg_stat_force_next_flush()")
        row = database.execute(
            "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    return int(row[0]) if row else 0


def _figures(clients: dict[str, float], queries: float) -> dict[str, Any]:
    peer = "ORM catch-up (Channels on uvicorn)"
    what = f"catch-ups of {MISSED} missed"
    figures = [
        Figure("G8", f"{what}, from memory", clients["memory"], "/CPU-s", peer,
               clients["theirs"], at_least=8),
        Figure("G8", f"{what}, from PostgreSQL", clients["database"], "/CPU-s", peer,
               clients["theirs"], at_least=4),
        Figure("G8", "whole reconnects, sign-in and handshake too", clients["memory, reconnect"],
               "/CPU-s", peer + ", nobody signed in", clients["theirs, reconnect"]),
        Figure("G8", "queries per reconnect in a storm", queries, "", at_most=2),
    ]  # fmt: skip
    return {"per_cpu_second": clients, "figures": [each.as_dict() for each in figures]}
