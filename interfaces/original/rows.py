"""The rooms of a list, by statements that are written once: each visitor asks for them five times,
and to build such a query took longer than PostgreSQL took to answer it."""

from enum import Enum

from django.db import connection

from interfaces.original.bodies import Row

# Uses indexes: room_open_by_activity, the primary key of accounts_user.
_OPEN = """
SELECT r.id, r.title, r.owner_id, u.display_name, r.personnel, r.capacity
FROM rooms_room r JOIN accounts_user u ON u.id = r.owner_id
WHERE r.closed_at IS NULL
ORDER BY r.active_at DESC, r.id DESC LIMIT %(limit)s OFFSET %(offset)s"""
# Uses indexes: membership by user, the primary keys of rooms_room and accounts_user.
_MINE = """
SELECT r.id, r.title, r.owner_id, u.display_name, r.personnel, r.capacity
FROM rooms_membership m
JOIN rooms_room r ON r.id = m.room_id JOIN accounts_user u ON u.id = r.owner_id
WHERE m.user_id = %(user)s
ORDER BY r.active_at DESC, r.id DESC LIMIT %(limit)s OFFSET %(offset)s"""


class List(Enum):
    OPEN = _OPEN
    MINE = _MINE


def read(rooms: List, user_id: int, limit: int, offset: int) -> list[Row]:
    """The liveliest first."""
    with connection.cursor() as cursor:
        cursor.execute(rooms.value, {"user": user_id, "limit": limit, "offset": offset})
        return cursor.fetchall()
