"""Migrations beside the writers, who are never made to wait for a second.

One process at a time, on however many hosts: who comes second waits, and finds nothing to do.

Whoever waits for a table's lock lets everybody wait who comes after. So a migration waits for half
a second at most, then it is undone, lets them through and tries again. It may take as long as it
likes for what blocks nobody: then it says so itself (`SET lock_timeout = 0`, and RESET).
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from django.db import OperationalError, connection

from chattalk.maintenance import migrate_sql
from core.postgresql.breaker import knocking

LOCK_MILLISECONDS = 500
PAUSE_SECONDS = (0.5, 1.5)  # between two tries, so that two processes don't stay in step
ASK_EVERY_SECONDS = 0.25  # whether the other process has migrated
GIVE_UP_SECONDS = 600.0  # as long as somebody may hold a table, as a backup does
BUSY = {"55P03", "40P01"}  # lock_not_available, deadlock_detected
SESSION = (
    f"-c lock_timeout={LOCK_MILLISECONDS} -c statement_timeout=0"
    " -c idle_in_transaction_session_timeout=0"
)


def patiently(migrate: Callable[[], object], show: Callable[[str], None]) -> None:
    """`migrate` goes on where it was when it is called again. Raises what it raised last."""
    end = time.monotonic() + GIVE_UP_SECONDS
    with _alone(show, end), _session():
        while True:
            try:
                for name in migrate_sql.drop_half_made_indexes():
                    show(f"{name} was half made: it is made anew")
                migrate()
                return
            except OperationalError as error:
                if _state(error) not in BUSY or time.monotonic() >= end:
                    raise
                show("A table is in use: trying again, so that nobody waits")
            time.sleep(random.uniform(*PAUSE_SECONDS))


@contextmanager
def _alone(show: Callable[[str], None], end: float) -> Iterator[None]:
    """Nobody else migrates this database. Raises OperationalError.

    A transaction of its own has the lock, for behind a pooler a session is nobody's. It asks again
    and again: one that waits would have a snapshot, for which CREATE INDEX CONCURRENTLY waits.
    """
    try:
        locking = psycopg.connect(**knocking(), autocommit=True)
    except psycopg.OperationalError as error:
        raise OperationalError(*error.args) from error
    with locking, locking.transaction():
        locking.execute(migrate_sql.AS_LONG_AS_IT_TAKES)
        if not _has_lock(locking):
            show("Another process migrates this database: waiting for it")
            while not _has_lock(locking):
                if time.monotonic() >= end:
                    raise OperationalError("another process has migrated it for too long")
                time.sleep(ASK_EVERY_SECONDS)
        yield


def _has_lock(locking: psycopg.Connection) -> bool:
    return locking.execute(migrate_sql.ALONE).fetchone() == (True,)


def _state(error: OperationalError) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)


@contextmanager
def _session() -> Iterator[None]:
    """Connections that begin so, and that RESET brings back to it."""
    options = connection.settings_dict["OPTIONS"]
    usual = options.get("options", "")
    _anew(options, f"{usual} {SESSION}")
    try:
        yield
    finally:
        _anew(options, usual)


def _anew(options: dict[str, str], words: str) -> None:
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's own
    options["options"] = words
