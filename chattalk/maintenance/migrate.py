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
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import CommandError
from django.db import OperationalError, connection

from chattalk.maintenance import migrate_sql
from core.postgresql import sessions
from core.postgresql.breaker import knocking

LOCK_MILLISECONDS = 500
PAUSE_SECONDS = (0.5, 1.5)  # between two tries, so that two processes don't stay in step
ASK_EVERY_SECONDS = 0.25  # whether the other process has migrated
GIVE_UP_SECONDS = 600.0  # as long as somebody may hold a table, as a backup does
BUSY = {"55P03", "40P01"}  # lock_not_available, deadlock_detected
SESSION = {
    "lock_timeout": str(LOCK_MILLISECONDS),
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
ADDRESS = ("HOST", "PORT", "NAME", "USER", "PASSWORD")
NEEDS_SESSION = (
    "Migrations need a session of their own, which a pooler in transaction mode does not give: set "
    "DATABASE_DIRECT_URL to the address of PostgreSQL itself."
)


def patiently(migrate: Callable[[], object], show: Callable[[str], None]) -> None:
    """`migrate` goes on where it was when it is called again. Raises what it raised last."""
    if settings.POOLED and not settings.DATABASE_DIRECT_URL:
        raise CommandError(NEEDS_SESSION)
    end = time.monotonic() + GIVE_UP_SECONDS
    with _session(), _alone(show, end):
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
    """Connections that begin so, and that RESET brings back to it; past a pooler, which has none
    that could."""
    usual = {name: connection.settings_dict[name] for name in ("OPTIONS", *ADDRESS)}
    direct = {name: settings.DATABASE_DIRECT[name] for name in ADDRESS} if settings.POOLED else {}
    options = usual["OPTIONS"] | {"options": sessions.as_options(SESSION)}
    if settings.POOLED:
        options |= settings.DATABASE_DIRECT["OPTIONS"]
    _turn_to(direct | {"OPTIONS": options})
    try:
        yield
    finally:
        _turn_to(usual)


def _turn_to(database: dict[str, Any]) -> None:
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's own
    connection.settings_dict.update(database)
