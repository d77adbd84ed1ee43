"""How far each follower is behind, and who runs it."""

from datetime import timedelta
from typing import NamedTuple

from messaging.followers import lease
from messaging.log.rows import rows

LATE = timedelta(seconds=10)  # longer than a sweep takes to find what no hint told
ROOMS_MAX = 1_000  # in which the oldest line that waits is looked for

# Uses indexes: follower_position_once, event_seq_once once per room that is behind.
_LAG = """
WITH behind AS MATERIALIZED (
    SELECT r.id, coalesce(p.seq, 0) AS seq, r.last_seq - coalesce(p.seq, 0) AS lines
    FROM rooms_room r
    LEFT JOIN messaging_followerposition p ON p.follower = %(name)s AND p.room_id = r.id
    WHERE r.last_seq > coalesce(p.seq, 0)
), oldest AS (
    SELECT min(e.created_at) AS at FROM (SELECT * FROM behind LIMIT %(most)s) b
    CROSS JOIN LATERAL (
        SELECT created_at FROM messaging_event WHERE room_id = b.id AND seq > b.seq
        ORDER BY seq LIMIT 1
    ) e
)
SELECT (SELECT count(*) FROM behind), (SELECT coalesce(sum(lines), 0) FROM behind),
    coalesce(clock_timestamp() - (SELECT at FROM oldest), interval '0'),
    coalesce((SELECT missed FROM messaging_followerrecord WHERE name = %(name)s), 0)
"""


class Lag(NamedTuple):
    name: str
    rooms: int
    lines: int
    age: timedelta  # of the oldest line that waits
    missed: int  # lines that were pruned before it came to them
    runs_at: str | None  # host and process; None if nobody runs it, or nobody knows

    @property
    def is_late(self) -> bool:
        return self.age > LATE

    @property
    def seconds(self) -> int:
        return int(self.age.total_seconds())


def lag(name: str, with_redis: bool = True) -> Lag:
    """Without Redis it is not known who runs it."""
    ((behind, lines, age, missed),) = rows(_LAG, {"name": name, "most": ROOMS_MAX})
    runs_at = _runs_at(name) if with_redis else None
    return Lag(name, behind, int(lines), max(age, timedelta()), missed, runs_at)


def _runs_at(name: str) -> str | None:
    try:
        who = lease.holder(name)
    except lease.FAILURES:
        return None
    return who.rpartition(":")[0] if who else None
