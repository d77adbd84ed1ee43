"""PostgreSQL for an event loop: async connections with the settings of Django's own.

Every wait is bounded. A connection that broke is replaced and the statement tried once more;
callers see `Unavailable` when the database does not answer in time.
"""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from typing import Any, LiteralString, cast

import psycopg
from django.conf import settings
from django.db import connection as django_connection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from core.postgresql import sessions
from core.postgresql.breaker import Refused, Unavailable, breaker, is_outage
from core.postgresql.gauges import POOLS
from core.postgresql.prepared import Prepared
from core.postgresql.writable import note_failure
from core.text import first_line

__all__ = ["Reads", "Unavailable", "connect", "run"]

logger = logging.getLogger(__name__)

NOTHING: Mapping[str, str] = MappingProxyType({})
ANSWER_SECONDS = 3.0  # a statement that takes longer is given up
RECONNECT_SECONDS = 2.0  # of longer and longer waits; then who asks begins anew


def _parameters(begins_with: Mapping[str, str] = NOTHING) -> dict[str, Any]:
    params = django_connection.get_connection_params()
    django_only = ("cursor_factory", "context", "prepare_threshold", "options")
    kept = {name: value for name, value in params.items() if name not in django_only}
    kept |= {"autocommit": True, "application_name": "chattalk"}
    if settings.POOLED:  # what is prepared on a connection is gone with it
        return kept | {"prepare_threshold": None}
    begins_with = {**sessions.LIMITS, **sessions.EXACT, **begins_with}
    return kept | {"prepare_threshold": 1, "options": sessions.as_options(begins_with)}


class OwnConnection(psycopg.AsyncConnection[Any]):
    """One asker's alone. Where it can keep settings and statements, `rows` prepares what it is
    asked; where it can't, `before` goes along with each statement."""

    before = ""
    _own: Prepared | None = None

    async def rows(self, sql: str, values: Mapping[str, str]) -> list[tuple[Any, ...]]:
        """What it answers. To be asked in no other way then."""
        if self._own is None:
            self._own = Prepared(self)
        return await self._own.rows(sql, values)

    async def close(self) -> None:
        if self._own is not None:
            self._own.stop()
        await super().close()


async def connect(
    begins_with: Mapping[str, str] = NOTHING,
    deadline: float | None = None,  # of the event loop's clock
) -> OwnConnection:
    """With these settings of PostgreSQL. Raises TimeoutError or psycopg.OperationalError."""
    params = _parameters(begins_with)
    latest = asyncio.get_running_loop().time() + ANSWER_SECONDS
    async with asyncio.timeout_at(min(latest, deadline or latest)):
        connection = await OwnConnection.connect(**params)
    if settings.POOLED and begins_with:
        connection.before = sessions.as_statements(begins_with)
        connection.cursor_factory = psycopg.AsyncClientCursor  # several statements in one message
    return connection


async def run(
    connection: psycopg.AsyncConnection[Any],
    sql: str,
    params: dict[str, Any],
    deadline: float | None = None,  # of the event loop's clock
) -> list[tuple[Any, ...]]:
    """One statement of messaging/log/. A server that lets us wait is hung up on, and the
    statement fails as on a connection that broke (OperationalError)."""
    loop = asyncio.get_running_loop()
    latest = loop.time() + ANSWER_SECONDS
    timer = loop.call_at(min(latest, deadline or latest), _hang_up, connection)
    try:
        if isinstance(connection, OwnConnection):
            if not settings.POOLED:
                return await connection.rows(sql, params)
            sql = connection.before + sql
        cursor = await connection.execute(cast(LiteralString, sql), params)
        while cursor.nextset():  # the statement's own is the last
            pass
        return await cursor.fetchall() if cursor.description else []
    except psycopg.Error as error:
        note_failure(error)
        raise
    finally:
        timer.cancel()


def _doubt() -> None:
    asyncio.get_running_loop().run_in_executor(None, breaker.doubt)


def _hang_up(connection: psycopg.AsyncConnection[Any]) -> None:
    """End the wait at once. To cancel it instead, psycopg would ask the server first, for 10 s."""
    with suppress(OSError, psycopg.OperationalError):  # it may just have ended by itself
        line = socket.socket(fileno=os.dup(connection.pgconn.socket))
        with line:
            line.shutdown(socket.SHUT_RDWR)


class Reads:
    """A small pool for catch-up and membership; opened on first use."""

    def __init__(self) -> None:
        self._pool: AsyncConnectionPool[Any] | None = None
        self.connected: Callable[[], None] = lambda: None  # told of each new connection

    async def rows(self, sql: str, **params: Any) -> Sequence[tuple[Any, ...]]:
        """Raises Unavailable, after ANSWER_SECONDS at most; Refused for a fault of ours.

        After a restart of the server each connection of the pool is found broken once.
        """
        if breaker.is_down:
            raise Unavailable
        deadline = asyncio.get_running_loop().time() + ANSWER_SECONDS
        tries = settings.READ_CONNECTIONS + 1
        while True:
            try:
                return await self._once(sql, params, deadline)
            except (psycopg.OperationalError, OSError) as error:
                tries -= 1
                if not tries or asyncio.get_running_loop().time() >= deadline:
                    _doubt()
                    raise Unavailable from error
            except psycopg.Error as error:  # it only reads, or a fault of ours
                if is_outage(error):
                    logger.warning("the database refused: %s", first_line(error))
                    raise Unavailable from error
                logger.exception("the database refused")
                raise Refused from error

    async def _once(
        self, sql: str, params: dict[str, Any], deadline: float
    ) -> list[tuple[Any, ...]]:
        async with self._connection(deadline) as connection:
            return await run(connection, sql, params, deadline)

    @asynccontextmanager
    async def _connection(self, deadline: float) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        pool = await self.open()
        left = max(deadline - asyncio.get_running_loop().time(), 0.001)
        try:
            async with pool.connection(timeout=left) as connection:
                yield connection
        except PoolTimeout as error:
            raise TimeoutError from error

    async def open(self) -> AsyncConnectionPool[Any]:
        """Waits for no connection; the first is then there before anyone needs it, and kept, should
        the server later have none left."""
        if self._pool is None:
            self._pool = AsyncConnectionPool(
                kwargs=_parameters(),
                min_size=1,
                max_size=settings.READ_CONNECTIONS,
                open=False,
                name="reads",
                reconnect_timeout=RECONNECT_SECONDS,
                configure=self._configure,
            )
            POOLS[self._pool.name] = self._pool
            await self._pool.open()
        return self._pool

    async def _configure(self, _connection: psycopg.AsyncConnection[Any]) -> None:
        self.connected()

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close(timeout=1)
            self._pool = None
