"""Statements on a connection of psycopg's, one after another, past its cursors.

For what is said very often: a cursor adapts, names, waits and describes anew each time, which takes
longer than a small statement does. Here a statement is prepared once, its values go as text, and
the connection's end in the event loop stays where it is.
"""

import asyncio
import os
import re
from asyncio import Future
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer

NAMED = re.compile(r"%\((\w+)\)s")
FAILED = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE)


class Prepared:
    """Belongs to the loop that made it. One statement at a time."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._pgconn = connection.pgconn
        self._encoding = connection.info.encoding
        self._rows = Transformer(connection)
        self._known: dict[str, tuple[bytes, list[str]]] = {}
        self._found: list[pq.abc.PGresult] = []
        self._answer: Future[pq.abc.PGresult] | None = None
        self._loop = asyncio.get_running_loop()
        # A number of our own for it: libpq gives its own back as soon as the line breaks.
        self._line = os.dup(self._pgconn.socket)
        self._is_stopped = False
        self._loop.add_reader(self._line, self._read)

    async def rows(self, sql: str, values: Mapping[str, str]) -> list[tuple[Any, ...]]:
        """Raises psycopg.Error."""
        name, names = self._known.get(sql) or await self._prepare(sql)
        words = [values[each].encode() for each in names]
        self._pgconn.send_query_prepared(name, words, result_format=pq.Format.BINARY)
        result = await self._result()
        if not result.ntuples:
            return []
        self._rows.set_pgresult(result)
        return self._rows.load_rows(0, result.ntuples, tuple)

    async def _prepare(self, sql: str) -> tuple[bytes, list[str]]:
        names = list(dict.fromkeys(NAMED.findall(sql)))
        numbered = sql % {name: f"${number}" for number, name in enumerate(names, 1)}
        made = f"prepared_{len(self._known)}".encode(), names
        self._pgconn.send_prepare(made[0], numbered.encode())
        await self._result()
        self._known[sql] = made
        return made

    async def _result(self) -> pq.abc.PGresult:
        self._found.clear()
        self._answer = self._loop.create_future()
        self._flush()
        try:
            result = await self._answer
        finally:
            self._answer = None
        if result.status in FAILED:
            raise psycopg.errors.error_from_result(result, self._encoding)
        return result

    def _flush(self) -> None:
        """What is larger than the kernel takes at once goes on when it takes more."""
        try:
            if self._pgconn.flush():
                self._loop.add_writer(self._line, self._flush)
            else:
                self._loop.remove_writer(self._line)
        except psycopg.Error as error:
            self._broke(error)

    def _read(self) -> None:
        try:
            self._pgconn.consume_input()
            while self._answer is not None and not self._pgconn.is_busy():
                if (result := self._pgconn.get_result()) is None:
                    return self._ended()
                self._found.append(result)
        except psycopg.Error as error:
            self._broke(error)

    def _ended(self) -> None:
        """All that the server says of a statement is here; only now is it committed."""
        if self._pgconn.status != pq.ConnStatus.OK:
            self._broke(psycopg.OperationalError(self._pgconn.get_error_message(self._encoding)))
        elif self._answer is not None and not self._answer.done():
            self._answer.set_result(self._found[-1])

    def _broke(self, error: psycopg.Error) -> None:
        self.stop()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def stop(self) -> None:
        if not self._is_stopped:
            self._is_stopped = True
            self._loop.remove_reader(self._line)
            self._loop.remove_writer(self._line)
            os.close(self._line)
