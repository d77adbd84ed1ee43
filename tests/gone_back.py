"""A database that has gone back in one room, as a failover that lost its tail leaves it."""

from django.db import connection

_SET_BACK = """
WITH gone AS (
    DELETE FROM messaging_event WHERE room_id = %(room)s AND seq > %(kept)s
)
UPDATE rooms_room SET last_seq = %(kept)s, last_event_at = (
    SELECT created_at FROM messaging_event WHERE room_id = %(room)s AND seq = %(kept)s
) WHERE id = %(room)s RETURNING last_seq
"""
_POSITIONS = """
UPDATE messaging_followerposition SET seq = LEAST(seq, %(kept)s) WHERE room_id = %(room)s
"""
_READ = """
UPDATE rooms_membership SET read_seq = LEAST(read_seq, %(kept)s) WHERE room_id = %(room)s
"""
_HEAD = "SELECT last_seq FROM rooms_room WHERE id = %(room)s"


def lose(room: int, many: int) -> int:
    """The last lines of the room's log are lost; the last one that is kept."""
    with connection.cursor() as cursor:
        cursor.execute(_HEAD, {"room": room})
        kept = cursor.fetchone()[0] - many
        for statement in (_SET_BACK, _POSITIONS, _READ):
            cursor.execute(statement, {"room": room, "kept": kept})
    return kept
