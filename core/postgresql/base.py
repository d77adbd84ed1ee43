"""Django's PostgreSQL with a pool that forgets its dead at once, and asks no server that is away.

After a restart of the server every pooled connection is dead. The pool's own check waits a second
and more after each one it finds; a page would rather have the next.
"""

import time
from typing import Any

from django.db.backends.postgresql import base
from psycopg import OperationalError
from psycopg_pool import ConnectionPool

from core.postgresql.breaker import breaker
from core.postgresql.pool import PooledConnection


class DatabaseWrapper(base.DatabaseWrapper):
    @property
    def pool(self) -> Any:
        if options := self.settings_dict["OPTIONS"].get("pool"):
            options["connection_class"] = PooledConnection
        return super().pool

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if not self.pool:
            return super().get_new_connection(conn_params)
        for _ in range(self.pool.max_size):
            connection = self._pooled(conn_params)
            if connection.is_surely_there:
                return connection
            try:
                ConnectionPool.check_connection(connection)
                return connection
            except OperationalError:
                self.pool.putconn(connection)  # which sees that it is broken, and makes another
        return self._pooled(conn_params)

    def _close(self) -> None:
        if isinstance(self.connection, PooledConnection):
            self.connection.answered_at = time.monotonic()
        super()._close()  # type: ignore[misc]  # it has one

    def _pooled(self, conn_params: dict[str, Any]) -> Any:
        if breaker.is_down:
            raise OperationalError("the server does not answer")
        return super().get_new_connection(conn_params)
