"""Whether the logs are still those that were read before. After a failover that lost its tail, or
from an older backup, a log goes on from an earlier line, and its numbers come again."""

from datetime import datetime
from typing import Any, NamedTuple

# Where these logs end, the database's time, and its timeline: each promotion of a standby begins
# another one. A server that only follows another one is behind it, and has none to tell.
# Uses index: rooms_room_pkey.
LOOK = """
SELECT r.id, r.last_seq, r.personnel, r.last_event_at, n.at, n.timeline
FROM (
    SELECT clock_timestamp() AS at, CASE WHEN NOT pg_is_in_recovery() THEN
        left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
    END AS timeline
) n
LEFT JOIN rooms_room r ON r.id = ANY (%(rooms)s::bigint[])
"""

# Of each of these lines: where its room's log ends, when it was written if it is there, and the
# last line that can have been there before it, for lines are written in the order of time.
# Uses indexes: rooms_room_pkey, event_seq_once, event_by_room_and_time.
KEPT = """
SELECT p.room_id, coalesce(r.last_seq, 0),
    (SELECT created_at FROM messaging_event WHERE room_id = p.room_id AND seq = p.seq),
    coalesce((
        SELECT seq FROM messaging_event
        WHERE room_id = p.room_id AND created_at <= p.at AND seq < p.seq
        ORDER BY created_at DESC, seq DESC LIMIT 1
    ), 0)
FROM unnest(%(rooms)s::bigint[], %(seqs)s::bigint[], %(ats)s::timestamptz[])
     AS p (room_id, seq, at)
LEFT JOIN rooms_room r ON r.id = p.room_id
"""


class LastLine(NamedTuple):
    """The last line of a log that somebody has. Logs that agree in it agree in all before it."""

    seq: int
    at: datetime | None = None  # when it was written; None if that is not known


class LogEnd(NamedTuple):
    """A row of LOOK."""

    room: int | None
    head: int
    personnel: int
    at: datetime  # when its last line was written
    now: datetime
    timeline: str | None


def as_kept(line: LastLine, row: tuple[Any, ...]) -> int | None:
    """A row of KEPT: up to where what somebody has is the log; None if all of it is. A line that is
    not kept any more was an old one: what comes after a failover is kept."""
    _room, head, at, kept = row
    is_same = head >= line.seq if None in (at, line.at) else at == line.at
    return None if is_same else int(kept)
