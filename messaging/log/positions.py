"""Where each room's log ends, and who has read how far."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from messaging.log import kinds
from messaging.log.event import About
from messaging.log.rows import rows

UNREAD_MAX = 100  # counting stops here; "99+" needs no more

# Of a membership m. Uses index: event_seq_once.
_UNREAD_OF_M = f"""(
    SELECT count(*) FROM (
        SELECT 1 FROM messaging_event e
        WHERE e.room_id = m.room_id AND e.seq > m.read_seq
          AND e.kind IN {kinds.in_sql(kinds.UNREAD)} AND e.sender_id <> m.user_id
        LIMIT %(max)s
    ) AS counted
)"""

# Uses indexes: membership_once, event_seq_once.
UNREAD = f"""
SELECT m.room_id, {_UNREAD_OF_M}
FROM rooms_membership m WHERE m.user_id = %(user)s AND m.room_id = ANY (%(rooms)s::bigint[])
"""

# Of all rooms that someone is a member of, those with the newest activity first.
# Uses indexes: rooms_membership by user, rooms_room_pkey, event_seq_once.
MY_UNREAD = f"""
SELECT m.room_id, r.title, m.role, m.read_seq, r.last_seq, {_UNREAD_OF_M}
FROM rooms_membership m JOIN rooms_room r ON r.id = m.room_id
WHERE m.user_id = %(user)s ORDER BY r.active_at DESC, r.id DESC LIMIT %(limit)s
"""

# Of a room r. Uses index: event_seq_once.
_ABOUT_R = """
    r.title, r.description, r.capacity, r.owner_id, r.closed_at IS NOT NULL, r.personnel,
    coalesce(
        (SELECT e.seq FROM messaging_event e WHERE e.room_id = r.id ORDER BY e.seq LIMIT 1),
        r.last_seq + 1
    )
"""
# Uses index: rooms_room_pkey.
ABOUT = f"SELECT {_ABOUT_R} FROM rooms_room r WHERE r.id = %(room)s"

# Uses indexes: membership_once, rooms_room_pkey.
MEMBER_STATE = f"""
SELECT m.role, m.read_seq, r.last_seq, {_ABOUT_R}
FROM rooms_membership m JOIN rooms_room r ON r.id = m.room_id
WHERE m.room_id = %(room)s AND m.user_id = %(user)s
"""
# The same for many at once: a row for each room, with those who have a seat there.
# Uses indexes: membership_once, rooms_room_pkey.
MEMBER_STATES = f"""
SELECT s.users, s.roles, s.reads, r.id, r.last_seq, {_ABOUT_R}
FROM (
    SELECT m.room_id, array_agg(m.user_id) AS users, array_agg(m.role) AS roles,
           array_agg(m.read_seq) AS reads
    FROM unnest(%(rooms)s::bigint[], %(users)s::bigint[]) AS p (room_id, user_id)
    JOIN rooms_membership m ON m.room_id = p.room_id AND m.user_id = p.user_id
    GROUP BY m.room_id
) s JOIN rooms_room r ON r.id = s.room_id
"""

HEADS = """
SELECT id, last_seq, personnel FROM rooms_room WHERE id = ANY (%(rooms)s::bigint[])
"""
MY_HEADS = """
SELECT r.id, r.last_seq, r.personnel FROM rooms_membership m JOIN rooms_room r ON r.id = m.room_id
WHERE m.user_id = %(user)s AND m.room_id = ANY (%(rooms)s::bigint[])
"""

# Forward only, and never past the end of the log.
READ = """
UPDATE rooms_membership m SET read_seq = GREATEST(m.read_seq, LEAST(%(seq)s, r.last_seq))
FROM rooms_room r
WHERE r.id = m.room_id AND m.room_id = %(room)s AND m.user_id = %(user)s
RETURNING m.read_seq
"""


class MemberState(NamedTuple):
    """How someone stands in a room, where its log ends, and the room as it is."""

    role: str
    read_seq: int
    head: int
    about: About


def as_member_state(row: Sequence[Any]) -> MemberState:
    role, read_seq, head, *about = row
    return MemberState(role, read_seq, head, About(*about))


def as_member_states(rows: Iterable[Sequence[Any]]) -> dict[tuple[int, int], MemberState]:
    """By room and person; who has no seat is not in it."""
    states = {}
    for users, roles, reads, room, head, *about in rows:
        room_is = About(*about)
        for user, role, read_seq in zip(users, roles, reads, strict=True):
            states[room, user] = MemberState(role, read_seq, head, room_is)
    return states


class UnreadRoom(NamedTuple):
    """One of my rooms: where I have read to, where its log ends, and what others said between,
    counted up to UNREAD_MAX."""

    room: int
    title: str
    role: str
    read: int
    head: int
    unread: int


class Head(NamedTuple):
    """Where a room's log ends, and how many members it has."""

    room: int
    head: int
    personnel: int


def unread(user_id: int, room_ids: Iterable[int]) -> dict[int, int]:
    """How much others have said that I have not read, per room, counted up to UNREAD_MAX."""
    params = {"user": user_id, "rooms": list(room_ids), "max": UNREAD_MAX}
    return {room: int(count) for room, count in rows(UNREAD, params)}


def my_unread(user_id: int, limit: int) -> list[UnreadRoom]:
    params = {"user": user_id, "max": UNREAD_MAX, "limit": limit}
    return [UnreadRoom(*row) for row in rows(MY_UNREAD, params)]


def member_state(room_id: int, user_id: int) -> MemberState | None:
    found = rows(MEMBER_STATE, {"room": room_id, "user": user_id})
    return as_member_state(found[0]) if found else None


def read(room_id: int, user_id: int, seq: int) -> int | None:
    """Move a member's read position forward; None for others."""
    found = rows(READ, {"room": room_id, "user": user_id, "seq": seq})
    return int(found[0][0]) if found else None
