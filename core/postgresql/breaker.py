"""Whether PostgreSQL answers.

Who waits for long, or can't connect, doubts; then the server is asked, once for all who doubt at
the same time. While it does not answer, a thread of ours goes on asking, and nobody else waits.
"""

from typing import Any

import psycopg
from django.db import InterfaceError, OperationalError, connection
from psycopg.errors import IdleInTransactionSessionTimeout, ReadOnlySqlTransaction
from psycopg_pool import PoolTimeout

from core.breaker import AskingByThread

CONNECT_SECONDS = 2  # the least that libpq knows
AGAIN_SECONDS = 0.5  # between two questions while it is down
FULL = ("too many", "reserved for")  # it refuses, so it is there


class Unavailable(Exception):
    """The database did not answer in time. What was asked may or may not have been done."""


class Refused(Unavailable):
    """It answered that it can't be asked so: a fault of ours, which is on the log."""


# Each an InternalError to Django, as a fault of ours would be.
PASSING = (ReadOnlySqlTransaction, IdleInTransactionSessionTimeout)
FAILURES = (OperationalError, InterfaceError, PoolTimeout, Unavailable, TimeoutError)


def is_outage(error: BaseException) -> bool:
    """Nobody's fault, and gone in a while: no answer, no free connection, it only reads, or it has
    ended the transaction of a process that stood still."""
    return isinstance(error, FAILURES + PASSING) or isinstance(error.__cause__, PASSING)


def knocking() -> dict[str, Any]:
    """How a connection is made that is of no pool."""
    parameters = connection.get_connection_params()
    wanted = (
        "target_session_attrs",
        "host",
        "port",
        "dbname",
        "user",
        "password",
        "service",
        "passfile",
    )
    known = {name: parameters[name] for name in wanted if name in parameters}
    ssl = {name: value for name, value in parameters.items() if name.startswith("ssl")}
    return {**known, **ssl, "connect_timeout": CONNECT_SECONDS}


def _knock() -> None:
    """Raises psycopg.Error."""
    try:
        psycopg.connect(**knocking()).close()
    except psycopg.OperationalError as error:
        if not any(word in str(error) for word in FULL):
            raise


breaker = AskingByThread(
    "PostgreSQL does not answer",
    "PostgreSQL answers again",
    name="breaker",
    knock=_knock,
    failures=psycopg.Error,
    every=AGAIN_SECONDS,
)
