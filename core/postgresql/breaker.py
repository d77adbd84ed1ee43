"""Whether PostgreSQL answers.

Who waits for long, or can't connect, doubts; then the server is asked, once for all who doubt at
the same time. While it does not answer, a thread of ours goes on asking, and nobody else waits.
"""

import logging
import time
from threading import Lock, Thread
from typing import Any

import psycopg
from django.db import InterfaceError, OperationalError, connection
from psycopg.errors import IdleInTransactionSessionTimeout, ReadOnlySqlTransaction
from psycopg_pool import PoolTimeout

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 2  # the least that libpq knows
AGAIN_SECONDS = 0.5  # between two questions while it is down
FULL = ("too many", "reserved for")  # it refuses, so it is there


class Unavailable(Exception):
    """The database did not answer in time. What was asked may or may not have been done."""


# Each an InternalError to Django, as a fault of ours would be.
PASSING = (ReadOnlySqlTransaction, IdleInTransactionSessionTimeout)
FAILURES = (OperationalError, InterfaceError, PoolTimeout, Unavailable, TimeoutError)


def is_outage(error: BaseException) -> bool:
    """Nobody's fault, and gone in a while: no answer, no free connection, it only reads, or it has
    ended the transaction of a process that stood still."""
    return isinstance(error, FAILURES + PASSING) or isinstance(error.__cause__, PASSING)


class Breaker:
    """What this process knows of that."""

    def __init__(self) -> None:
        self.is_down = False
        self._answered_at = float("-inf")
        self._asking = Lock()

    def doubt(self) -> bool:
        """Ask whether it is down."""
        doubted_at = time.monotonic()
        with self._asking:  # an answer that came while we waited for our turn is ours, too
            if not self.is_down and self._answered_at < doubted_at:
                self._ask()
            return self.is_down

    def _ask(self) -> None:
        try:
            _knock()
            self._answered_at = time.monotonic()
        except psycopg.Error as error:
            self.is_down = True
            logger.error("PostgreSQL does not answer: %s", first_line(error))
            Thread(target=self._ask_on, name="breaker", daemon=True).start()

    def _ask_on(self) -> None:
        while self.is_down:
            time.sleep(AGAIN_SECONDS)
            try:
                _knock()
            except psycopg.Error:
                continue  # that was said
            self.is_down = False
            logger.warning("PostgreSQL answers again")


breaker = Breaker()


def knocking() -> dict[str, Any]:
    """How a connection is made that is of no pool."""
    parameters = connection.get_connection_params()
    wanted = ("host", "port", "dbname", "user", "password", "service", "passfile")
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


def first_line(error: BaseException) -> str:
    """What libpq says goes over many."""
    return (str(error) or type(error).__name__).splitlines()[0]
