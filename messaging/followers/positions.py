"""How far each follower has come in each room, in PostgreSQL.

A position moves only from where it was when the lines were read (`WHERE seq = old`), and only one
process at a time takes a step for a follower. So two that both believe to hold the lease, as one
that stood still does, can't do a thing twice.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db import connection

from messaging.followers.follower import Follower
from messaging.log.rows import rows

RECENT_SECONDS = 60  # longer than a transaction may take from its first line to its COMMIT

# Held until the transaction ends, by whatever end: nobody waits for one that died.
_ALONE = "SELECT pg_try_advisory_xact_lock(hashtextextended('chattalk:follower:' || %(name)s, 0))"

# What is lost by a crash of PostgreSQL is both, the effect and the position: it is done again.
_UNHURRIED = "SET LOCAL synchronous_commit = off"
_AS_LONG_AS_IT_TAKES = "SET LOCAL statement_timeout = 0"

# Uses indexes: rooms_room_pkey, follower_position_once.
_MAKE = """
INSERT INTO messaging_followerposition (follower, room_id, seq)
SELECT %(name)s, r.id, 0 FROM rooms_room r
WHERE r.id = ANY (%(rooms)s::bigint[]) AND NOT EXISTS (
    SELECT FROM messaging_followerposition WHERE follower = %(name)s AND room_id = r.id
)
ON CONFLICT DO NOTHING
"""
# Uses index: follower_position_once.
_POSITIONS = """
SELECT room_id, seq FROM messaging_followerposition
WHERE follower = %(name)s AND room_id = ANY (%(rooms)s::bigint[])
"""
# Uses index: follower_position_once.
_ADVANCE = """
UPDATE messaging_followerposition p SET seq = m.seq
FROM unnest(%(rooms)s::bigint[], %(olds)s::bigint[], %(seqs)s::bigint[]) AS m (room_id, old, seq)
WHERE p.follower = %(name)s AND p.room_id = m.room_id AND p.seq = m.old
RETURNING p.room_id
"""
_AT_HEADS = """
INSERT INTO messaging_followerposition (follower, room_id, seq)
SELECT %(name)s, id, last_seq FROM rooms_room WHERE last_seq > 0
"""
_BEGUN = """
INSERT INTO messaging_followerrecord (name, missed) VALUES (%(name)s, 0)
ON CONFLICT DO NOTHING RETURNING name
"""
_MISSED = "UPDATE messaging_followerrecord SET missed = missed + %(many)s WHERE name = %(name)s"

# Uses index: follower_position_once.
_BEHIND = """
SELECT r.id FROM rooms_room r
LEFT JOIN messaging_followerposition p ON p.follower = %(name)s AND p.room_id = r.id
WHERE r.last_seq > coalesce(p.seq, 0) AND r.id > %(after)s
ORDER BY r.id LIMIT %(limit)s
"""
# The time is that of the statement: an index can't follow a clock that moves while it is read.
# Uses indexes: room_open_by_activity, follower_position_once.
_BEHIND_LATELY = f"""
SELECT r.id FROM rooms_room r
LEFT JOIN messaging_followerposition p ON p.follower = %(name)s AND p.room_id = r.id
WHERE r.closed_at IS NULL AND r.active_at > statement_timestamp() - interval '{RECENT_SECONDS} s'
  AND r.last_seq > coalesce(p.seq, 0)
ORDER BY r.active_at DESC, r.id DESC LIMIT %(limit)s
"""


class Overtaken(Exception):
    """Somebody else has moved a position that was read a moment ago."""


class Move(NamedTuple):
    old: int
    seq: int


def alone(name: str) -> bool:
    """Whether nobody else takes a step for that follower until this transaction ends."""
    ((is_alone,),) = rows(_ALONE, {"name": name})
    return bool(is_alone)


def unhurried() -> None:
    """This transaction needn't be on the disk when it is committed."""
    _execute(_UNHURRIED)


def begin(follower: Follower) -> bool:
    """Write down that it follows from here on, and where; in a transaction. False if it does."""
    if not rows(_BEGUN, {"name": follower.name}):
        return False
    _execute(_AS_LONG_AS_IT_TAKES)
    if follower.starts_at == "now":
        _execute(_AT_HEADS, name=follower.name)
    follower.begin()
    return True


def read(name: str, room_ids: Iterable[int]) -> dict[int, int]:
    """The position in each of these rooms, as far as they are there."""
    params = {"name": name, "rooms": list(room_ids)}
    _execute(_MAKE, **params)
    return {room: int(seq) for room, seq in rows(_POSITIONS, params)}


def advance(name: str, moves: Mapping[int, Move]) -> None:
    """Raises Overtaken if one of them is not where it was."""
    params = {
        "name": name,
        "rooms": list(moves),
        "olds": [move.old for move in moves.values()],
        "seqs": [move.seq for move in moves.values()],
    }
    if len(rows(_ADVANCE, params)) < len(moves):
        raise Overtaken(name)


def count_missed(name: str, many: int) -> None:
    """Lines that were deleted before it came to them."""
    _execute(_MISSED, name=name, many=many)


def behind(name: str, *, after: int, limit: int) -> list[int]:
    """Rooms in which there is more, in the order of their ids."""
    found = rows(_BEHIND, {"name": name, "after": after, "limit": limit})
    return [room for (room,) in found]


def behind_lately(name: str, *, limit: int) -> list[int]:
    """Open rooms in which there is more, of those in which something has just happened."""
    return [room for (room,) in rows(_BEHIND_LATELY, {"name": name, "limit": limit})]


def _execute(statement: str, **params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
