"""What goes when it is old enough."""

from datetime import datetime

from django.db import connection

# The oldest of each room go first, so what is left of a log is always its unbroken end.
# Uses index: event_by_room_and_time.
PRUNE = """
WITH old AS (
    SELECT e.id FROM messaging_event e
    WHERE e.room_id = %(room)s AND e.created_at < %(before)s
    ORDER BY e.created_at, e.seq LIMIT %(limit)s
)
DELETE FROM messaging_event e USING old WHERE e.id = old.id
"""


def prune(room_id: int, before: datetime, limit: int) -> int:
    """Delete up to `limit` of the room's oldest events from before that time; says how many."""
    with connection.cursor() as cursor:
        cursor.execute(PRUNE, {"room": room_id, "before": before, "limit": limit})
        return cursor.rowcount
