"""What is waited for: connections of each pool, as psycopg's pools count that themselves, and rows
that others hold."""

import logging
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakValueDictionary

from django.db import connection, connections
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from core import metrics
from core.postgresql.breaker import breaker, is_outage
from core.text import first_line

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Pool = ConnectionPool | AsyncConnectionPool

POOLS: WeakValueDictionary[str, Pool] = WeakValueDictionary()  # than Django's, by their names


def asked_seldom(ask: Callable[[], Answer], otherwise: Answer) -> Callable[[], Answer]:
    """For a metric that is read from the database, by Django's connection. While that is away it
    is `otherwise`: others tell that."""

    def asked() -> Answer:
        if breaker.is_down:
            return otherwise
        try:
            return ask()
        except Exception as error:
            if not is_outage(error):
                raise
            logger.debug("not read: %s", first_line(error))
            return otherwise
        finally:
            connection.close()

    return metrics.seldom(asked)


def _pools() -> dict[str, Pool]:
    """Django has one for each database, for the threads of pages and requests."""
    found = {alias: getattr(connections[alias], "pool", None) for alias in connections}
    return {alias: pool for alias, pool in found.items() if pool} | dict(POOLS)


def _figures(name: str, unit: float = 1) -> dict[str, float]:
    return {pool: found.get_stats().get(name, 0) * unit for pool, found in _pools().items()}


def _read(name: str, about: str, figure: str, unit: float = 1) -> None:
    metrics.read(name, about, lambda: _figures(figure, unit), labels=("pool",))


_read("chattalk_pool_connections", "Connections of PostgreSQL.", "pool_size")
_read("chattalk_pool_connections_max", "As many as there may be.", "pool_max")
_read("chattalk_pool_free", "Connections that nobody uses.", "pool_available")
_read("chattalk_pool_waiting", "Who waits for a connection now.", "requests_waiting")
_read("chattalk_pool_requests_total", "Connections that were asked for.", "requests_num")
_read("chattalk_pool_waits_total", "Of them, those that were waited for.", "requests_queued")
_read("chattalk_pool_wait_seconds_total", "How long that took.", "requests_wait_ms", unit=0.001)
_read("chattalk_pool_errors_total", "Those that did not come in time.", "requests_errors")


# Of all who use this database, by whatever statement. Uses no index: there are some dozens.
_WAITERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


def _waiters() -> float | None:
    with connection.cursor() as cursor:
        cursor.execute(_WAITERS)
        return float(cursor.fetchone()[0])


metrics.read(
    "chattalk_lock_waiters",
    "Statements that wait for what another one holds, in the whole database.",
    asked_seldom(_waiters, None),
    over="max",
)
