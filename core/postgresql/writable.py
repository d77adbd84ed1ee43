"""Whether PostgreSQL takes what is written: with a full disk it answers all that is read, and keeps
nothing.

Who finds that out tells it here. From then on a thread of ours tries, until it takes things again:
nobody may be writing any more, since a balancer that asks /readyz sends nobody here. At each try
the other processes are told, too, over the channel layer: who has written nothing can't know. To
them that is a reason to try for themselves, and no more, so a false hint does no harm, and one that
is lost comes again. While the layer is away each finds out by its own next write.
"""

from contextlib import closing
from typing import Any

import psycopg
from psycopg.errors import DiskFull, LockNotAvailable, ReadOnlySqlTransaction
from psycopg.generators import PQGen

from core import metrics
from core.breaker import AskingByThread
from core.postgresql import sessions
from core.postgresql.breaker import knocking
from core.text import first_line

WHY = {DiskFull: "disk full", ReadOnlySqlTransaction: "read only"}
AGAIN_SECONDS = 2.0  # between two tries
LIMITS = {"statement_timeout": "5000", "work_mem": "64kB"}
ANSWER_SECONDS = 8.0  # for a statement: a server that stands still has no limits of its own
# A few MB that are sorted in a temporary file, where there is room for one; nothing is left of it.
ROOM = "SELECT count(*) FROM (SELECT n FROM generate_series(1, 200000) n ORDER BY -n) sorted"
LOCK_TIMEOUTS = metrics.counter(
    "chattalk_lock_timeouts_total",
    "Statements that gave up waiting for a row: 1 s for a message, 10 s for what else writes.",
)


class BoundConnection(psycopg.Connection[Any]):
    def wait(self, gen: PQGen[Any], *args: Any, **named: Any) -> Any:
        return super().wait(gen, *args, **{"timeout": ANSWER_SECONDS, **named})


def _try() -> None:
    """Raises psycopg.Error while nothing can be written."""
    opened = BoundConnection.connect(**knocking(), autocommit=True)
    with closing(opened) as connection, connection.transaction():
        connection.execute(sessions.as_statements(LIMITS))
        if connection.execute("SHOW transaction_read_only").fetchone() != ("off",):
            raise ReadOnlySqlTransaction("it only reads")
        connection.execute(ROOM)


def note_failure(error: Exception) -> None:
    """A statement failed, whoever asked for it. If the server is away, which breaker.py tells, that
    says nothing of this."""
    if isinstance(error, LockNotAvailable):
        LOCK_TIMEOUTS.value += 1
    why = next((why for kind, why in WHY.items() if isinstance(error, kind)), "")
    if why:
        writable.failed(f"{why} ({first_line(error)})", why)


writable = AskingByThread(
    "PostgreSQL stores nothing",
    "PostgreSQL stores again",
    name="writable",
    knock=_try,
    failures=psycopg.Error,
    every=AGAIN_SECONDS,
    judge=note_failure,
)
