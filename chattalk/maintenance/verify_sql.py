"""What must hold, asked of the data itself and of the database's own catalogue.

Each statement looks at some rooms, at one moment, and takes no lock that a writer would notice.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import connection, transaction

from messaging.log.positions import HEADS
from messaging.log.rows import rows

# Uses indexes: rooms_room_pkey, event_seq_once, once per room.
_LOGS = """
SELECT r.id, e.many, e.different, e.first, e.last, r.last_event_at
FROM rooms_room r CROSS JOIN LATERAL (
    SELECT count(*) AS many, count(DISTINCT seq) AS different,
           coalesce(min(seq), 0) AS first, coalesce(max(seq), 0) AS last
    FROM messaging_event WHERE room_id = r.id
) e WHERE r.id = ANY (%(rooms)s::bigint[])
"""

# Uses indexes: rooms_room_pkey, membership_once, accounts_user_pkey.
_SEATS = """
SELECT r.id, r.capacity, m.many, m.furthest, m.misnamed, m.unknown,
       NOT EXISTS (SELECT FROM accounts_user WHERE id = r.owner_id) AS ownerless
FROM rooms_room r CROSS JOIN LATERAL (
    SELECT count(*) AS many, coalesce(max(m.read_seq), 0) AS furthest,
           count(*) FILTER (WHERE (m.role = 'owner') <> (m.user_id = r.owner_id)) AS misnamed,
           count(*) FILTER (WHERE u.id IS NULL) AS unknown
    FROM rooms_membership m LEFT JOIN accounts_user u ON u.id = m.user_id
    WHERE m.room_id = r.id
) m WHERE r.id = ANY (%(rooms)s::bigint[])
"""

# Uses index: message_sent_once; without it, it sorts.
_SENT_TWICE = """
SELECT room_id, count(*) FROM (
    SELECT room_id FROM messaging_event
    WHERE room_id = ANY (%(rooms)s::bigint[]) AND client_id IS NOT NULL
    GROUP BY room_id, sender_id, client_id HAVING count(*) > 1
) AS twice GROUP BY room_id
"""

# Uses index: event_seq_once.
_SENDERLESS = """
SELECT e.room_id, count(*) FROM messaging_event e
WHERE e.room_id = ANY (%(rooms)s::bigint[])
  AND NOT EXISTS (SELECT FROM accounts_user WHERE id = e.sender_id) GROUP BY e.room_id
"""

# The rooms that {table} names and that are not there: from one room's first row to the next one's.
# Uses indexes: event_seq_once or membership_once, once per room.
_ROOMLESS = """
WITH RECURSIVE named AS (
    SELECT min(room_id) AS room_id FROM {table}
    UNION ALL
    SELECT (SELECT min(room_id) FROM {table} WHERE room_id > named.room_id)
    FROM named WHERE named.room_id IS NOT NULL
)
SELECT room_id FROM named
WHERE room_id IS NOT NULL AND NOT EXISTS (SELECT FROM rooms_room WHERE id = named.room_id)
"""
ROOMLESS_LINES = _ROOMLESS.format(table="messaging_event")
ROOMLESS_SEATS = _ROOMLESS.format(table="rooms_membership")

# Of (room, person): whether both are there, and whether the person has a seat.
# Uses indexes: rooms_room_pkey, accounts_user_pkey, membership_once.
PRESENT = """
SELECT p.room_id, p.user_id, r.id IS NOT NULL AND u.id IS NOT NULL, m.id IS NOT NULL
FROM unnest(%(rooms)s::bigint[], %(users)s::bigint[]) AS p (room_id, user_id)
LEFT JOIN rooms_room r ON r.id = p.room_id
LEFT JOIN accounts_user u ON u.id = p.user_id
LEFT JOIN rooms_membership m ON m.room_id = p.room_id AND m.user_id = p.user_id
"""

# conenforced is there since PostgreSQL 18.
CONSTRAINTS = """
SELECT t.relname, c.conname, c.contype::text,
       c.convalidated AND coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true),
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k (attnum, n)
             JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum ORDER BY k.n),
       coalesce(f.relname, '')
FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
LEFT JOIN pg_class f ON f.oid = c.confrelid
WHERE t.relnamespace = current_schema()::regnamespace
"""
INDEXES = """
SELECT t.relname, i.relname, x.indisunique, x.indisvalid AND x.indisready AND x.indislive,
       ARRAY(SELECT coalesce(a.attname::text, '')
             FROM unnest(x.indkey::smallint[]) WITH ORDINALITY AS k (attnum, n)
             LEFT JOIN pg_attribute a
                    ON a.attrelid = t.oid AND a.attnum = k.attnum AND k.attnum > 0
             WHERE k.n <= x.indnkeyatts ORDER BY k.n),
       x.indpred IS NOT NULL
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
WHERE t.relnamespace = current_schema()::regnamespace
"""


class Log(NamedTuple):
    """What is left of a room's log: lines, different seqs among them, the first and last seq."""

    room: int
    many: int
    different: int
    first: int
    last: int
    last_event_at: Any


class Seats(NamedTuple):
    """A room's memberships, the furthest read position, and how many are wrong."""

    room: int
    capacity: int
    many: int
    furthest: int
    misnamed: int
    unknown: int
    ownerless: bool


class Constraint(NamedTuple):
    table: str
    name: str
    kind: str  # c check, f foreign key, n not null, p primary key, u unique
    valid: bool
    columns: list[str]
    of: str  # the table that a foreign key names


class Index(NamedTuple):
    table: str
    name: str
    unique: bool
    valid: bool
    columns: list[str]  # "" for an expression
    partial: bool


class Look(NamedTuple):
    """Some rooms at one moment."""

    heads: dict[int, tuple[int, int]]  # last_seq, personnel: what log.HEADS says
    logs: list[Log]
    seats: list[Seats]
    sent_twice: list[tuple[int, int]]  # room, how many
    senderless: list[tuple[int, int]]


@contextmanager
def snapshot() -> Iterator[None]:
    """What is read inside is of one moment, whatever is written meanwhile. As long as it takes."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield


def look(room_ids: list[int]) -> Look:
    asked = {"rooms": room_ids}
    with snapshot():
        return Look(
            {room: (last_seq, personnel) for room, last_seq, personnel in rows(HEADS, asked)},
            [Log(*row) for row in rows(_LOGS, asked)],
            [Seats(*row) for row in rows(_SEATS, asked)],
            [(room, many) for room, many in rows(_SENT_TWICE, asked)],
            [(room, many) for room, many in rows(_SENDERLESS, asked)],
        )


def roomless(statement: str) -> list[int]:
    with snapshot():
        return [room for (room,) in rows(statement, {})]


def present(pairs: list[tuple[int, int]]) -> dict[tuple[int, int], tuple[bool, bool]]:
    """Whether both of each (room, person) are there, and whether the person has a seat."""
    asked = {"rooms": [room for room, _ in pairs], "users": [user for _, user in pairs]}
    return {(room, user): (there, seated) for room, user, there, seated in rows(PRESENT, asked)}


def catalogue() -> tuple[list[Constraint], list[Index]]:
    """What the database really has, of all tables."""
    with snapshot():
        constraints = [Constraint(*row) for row in rows(CONSTRAINTS, {})]
        return constraints, [Index(*row) for row in rows(INDEXES, {})]
