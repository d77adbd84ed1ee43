"""Django's PostgreSQL with a pool that forgets its dead at once.

After a restart of the server every pooled connection is dead. The pool's own check waits a second
and more after each one it finds; a page would rather have the next.
"""

from typing import Any

from django.db.backends.postgresql import base
from psycopg import OperationalError
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        for _ in range(self.pool.max_size if self.pool else 0):
            try:
                ConnectionPool.check_connection(connection)
                break
            except OperationalError:
                self.pool.putconn(connection)  # which sees that it is broken, and makes another
                connection = super().get_new_connection(conn_params)
        return connection
