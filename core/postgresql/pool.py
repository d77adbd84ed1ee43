"""Connections for Django's pool: they wait for no server that stands still."""

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from typing import Any

import psycopg
from psycopg.errors import _WaitTimeout
from psycopg.generators import PQGen

from core.postgresql.breaker import CONNECT_SECONDS, breaker
from core.postgresql.writable import note_failure

DOUBT_SECONDS = 1.5  # of waiting for an answer
SURE_SECONDS = 1.0  # since it was last used: a question whether it is there costs as much as one
LEAST_SECONDS = 0.01  # for one whose time was over before it was asked: to end a transaction


class _Limit(local):
    until = float("inf")


_limit = _Limit()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Statements of this thread that are not answered by then are given up (OperationalError)."""
    before = _limit.until
    _limit.until = min(before, time.monotonic() + seconds)
    try:
        yield
    finally:
        _limit.until = before


class PooledConnection(psycopg.Connection[Any]):
    """A long statement is left to the server's own limits, as long as that is there: one that
    stands still has none, and would keep its threads for ever."""

    answered_at = 0.0  # of time.monotonic(); when it was last given back

    @property
    def is_surely_there(self) -> bool:
        """It was a moment ago, and the server has not hung up since: then there would be something
        to read."""
        if time.monotonic() - self.answered_at > SURE_SECONDS or self.closed:
            return False
        look = select.poll()
        look.register(self.pgconn.socket, select.POLLIN)
        return not look.poll(0)

    @classmethod
    def connect(cls, *args: Any, **parameters: Any) -> Any:
        try:
            return super().connect(*args, **parameters)
        except psycopg.OperationalError:
            breaker.doubt()
            raise

    def wait(self, gen: PQGen[Any], *args: Any, **named: Any) -> Any:
        if args or named:  # with limits of its own
            return super().wait(gen, *args, **named)
        until = _limit.until
        while True:
            left = max(until - time.monotonic(), LEAST_SECONDS)
            try:
                return super().wait(gen, timeout=min(DOUBT_SECONDS, left))
            except _WaitTimeout:
                if time.monotonic() >= until:
                    until = float("inf")
                    self.cancel_safe(timeout=CONNECT_SECONDS)  # it is answered by that it is
                elif breaker.doubt():
                    self.pgconn.finish()
                    raise psycopg.OperationalError("the server does not answer") from None
            except psycopg.Error as error:
                note_failure(error)
                raise
