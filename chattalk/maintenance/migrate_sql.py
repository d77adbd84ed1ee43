"""The lock of who migrates, and what a migration that was cut off leaves behind."""

from django.db import connection

from messaging.log.rows import rows

# Until the transaction ends, by whatever end; of this database only.
ALONE = "SELECT pg_try_advisory_xact_lock(hashtextextended('chattalk:migrate', 0))"
AS_LONG_AS_IT_TAKES = "SET LOCAL idle_in_transaction_session_timeout = 0"

# CREATE INDEX CONCURRENTLY that did not end: nobody reads the index, and its name is taken.
HALF_MADE = """
SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
WHERE NOT x.indisvalid AND i.relnamespace = current_schema()::regnamespace AND i.relkind = 'i'
"""


def drop_half_made_indexes() -> list[str]:
    """Beside the writers; one that is being made right now is waited for. Outside a transaction."""
    names = [name for (name,) in rows(HALF_MADE, {})]
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP INDEX CONCURRENTLY {connection.ops.quote_name(name)}")
    return names
