"""Connections for Django's pool: they wait for no server that stands still."""

from typing import Any

import psycopg
from psycopg.errors import _WaitTimeout
from psycopg.generators import PQGen

from messaging.reachable import reach
from messaging.writable import writable

DOUBT_SECONDS = 1.5  # of waiting for an answer


class Connection(psycopg.Connection[Any]):
    """A long statement is left to the server's own limits, as long as that is there: one that
    stands still has none, and would keep its threads for ever."""

    @classmethod
    def connect(cls, *args: Any, **parameters: Any) -> Any:
        try:
            return super().connect(*args, **parameters)
        except psycopg.OperationalError:
            reach.doubt()
            raise

    def wait(self, gen: PQGen[Any], *args: Any, **named: Any) -> Any:
        if args or named:  # with limits of its own
            return super().wait(gen, *args, **named)
        while True:
            try:
                return super().wait(gen, timeout=DOUBT_SECONDS)
            except _WaitTimeout:
                if reach.doubt():
                    self.pgconn.finish()
                    raise psycopg.OperationalError("the server does not answer") from None
            except psycopg.Error as error:
                writable.heard(error)
                raise
