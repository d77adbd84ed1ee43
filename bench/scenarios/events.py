"""A table of messages of any size, in no time: many rooms that talk at the same time."""

from collections.abc import Sequence

import psycopg

# As time goes, room after room: so the lines of one room lie far apart, as in real life.
FILL = """
INSERT INTO messaging_event (room_id, seq, kind, sender_id, client_id, body, created_at)
SELECT r.id, q, 'message', (%(senders)s::bigint[])[1 + (q * 7 + r.n) %% %(many)s], NULL,
       'hello there, how are you all today',
       now() - (%(last)s - q) * interval '1 second'
FROM generate_series(%(first)s::bigint, %(last)s::bigint) q,
     unnest(%(rooms)s::bigint[]) WITH ORDINALITY r (id, n)
ORDER BY q, r.n"""
HEADS = """
UPDATE rooms_room SET last_seq = %(last)s, last_event_at = now()
WHERE id = ANY (%(rooms)s::bigint[])"""


def fill(
    database: psycopg.Connection,
    rooms: Sequence[int],
    senders: Sequence[int],
    first: int,
    last: int,
) -> None:
    """Lines `first` to `last` of each room, and the table as autovacuum would leave it."""
    named = {"rooms": list(rooms), "senders": list(senders), "many": len(senders)}
    named |= {"first": first, "last": last}
    # They refer to rows that are there: not to be looked up for each of millions.
    database.execute("SET session_replication_role = replica")
    with database.transaction():  # one now(): a room's last line is as old as the room says
        database.execute(FILL, named)
        database.execute(HEADS, named)
    database.execute("RESET session_replication_role")
    database.execute("VACUUM ANALYZE messaging_event")
    database.execute("VACUUM ANALYZE rooms_room")
    database.execute("CHECKPOINT")
