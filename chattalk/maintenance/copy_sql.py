"""All rows of a table, out and in, as PostgreSQL's own COPY writes them: text, one row a line.

Inside a transaction; the same rows are the same bytes on every server.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from django.core.management.color import no_style
from django.db import connection, models

from messaging.log.rows import rows

LOG = "messaging_event"


class Table(NamedTuple):
    name: str
    columns: tuple[str, ...]
    order: str  # SQL: of its primary key, and of the log by room and seq


def table(model: type[models.Model]) -> Table:
    meta, quote = model._meta, connection.ops.quote_name
    columns = [str(field.column) for field in meta.local_concrete_fields]
    if meta.db_table == LOG:
        # Uses index: event_seq_once. What a line belongs to comes first.
        columns.sort(key=lambda column: column not in ("room_id", "seq"))
        columns.sort(key=lambda column: column != "room_id")
        return Table(LOG, tuple(columns), "room_id, seq")
    # Of text, the order of its bytes: that of a language is another one elsewhere.
    in_bytes = ' COLLATE "C"' if isinstance(meta.pk, models.CharField) else ""
    return Table(meta.db_table, tuple(columns), quote(str(meta.pk.column)) + in_bytes)


def count(one: Table) -> int:
    ((many,),) = rows(f"SELECT count(*) FROM {connection.ops.quote_name(one.name)}", {})
    return int(many)


def out(one: Table) -> Iterator[bytes]:
    """Its rows, each with its line feed, in order; as long as the next one is asked for."""
    columns, name = _columns(one), connection.ops.quote_name(one.name)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL datestyle = 'ISO, YMD'")
        cursor.execute("SET LOCAL timezone = 'UTC'")
        with cursor.copy(
            f"COPY (SELECT {columns} FROM {name} ORDER BY {one.order}) TO STDOUT"
        ) as copy:
            yield from (bytes(row) for row in copy)


def into(one: Table, pieces: Iterable[bytes]) -> None:
    """What `out` gave, cut anywhere."""
    name = connection.ops.quote_name(one.name)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {name} ({_columns(one)}) FROM STDIN") as copy,
    ):
        for piece in pieces:
            copy.write(piece)


def take_over(all_tables: Sequence[Table]) -> None:
    """Nobody else writes to any of them until the transaction ends."""
    names = ", ".join(connection.ops.quote_name(one.name) for one in all_tables)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute(f"LOCK TABLE {names} IN EXCLUSIVE MODE")


def empty(one: Table) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {connection.ops.quote_name(one.name)}")


def go_on_counting(all_models: list[Any]) -> None:
    """The next row of each table gets a number of its own."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), all_models):
            cursor.execute(statement)


def _columns(one: Table) -> str:
    return ", ".join(map(connection.ops.quote_name, one.columns))
