"""The counters that the lobby and the dashboard show: when a room had its last message, and how
many messages were said in each minute, in all rooms together.

What may be seen by people without a seat is counted here: times and numbers, no text and no name.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from messaging.followers.follower import Follower, Stretch
from messaging.log.kinds import UNREAD, in_sql
from messaging.log.rows import rows

MINUTE = timedelta(minutes=1)
SHOWN = timedelta(hours=1)  # as far back as anybody looks, and as counting begins on an old site
KEPT = timedelta(days=1)
LINES_MAX = 2_000  # of one room in one step

_NAME = "counters"

# What the log says, as far as the follower has come: so it holds beside its counters at any moment.
# Uses indexes: follower_position_once, event_seq_once once per room.
LAST_MESSAGES = f"""
SELECT p.room_id, e.at FROM messaging_followerposition p LEFT JOIN LATERAL (
    SELECT created_at AS at FROM messaging_event
    WHERE room_id = p.room_id AND seq <= p.seq AND kind IN {in_sql(UNREAD)}
    ORDER BY seq DESC LIMIT 1
) e ON true WHERE p.follower = '{_NAME}'
"""
# Uses indexes: event_by_time, follower_position_once.
BY_MINUTE = f"""
SELECT date_trunc('minute', e.created_at, 'UTC') AS minute, count(*) AS messages
FROM messaging_event e
JOIN messaging_followerposition p ON p.follower = '{_NAME}' AND p.room_id = e.room_id
WHERE e.created_at >= %(since)s::timestamptz AND e.seq <= p.seq AND e.kind IN {in_sql(UNREAD)}
GROUP BY 1
"""
_FIRST_LAST_MESSAGES = f"""
INSERT INTO messaging_lastmessage (room_id, at)
SELECT room_id, at FROM ({LAST_MESSAGES}) found WHERE at IS NOT NULL
"""
_FIRST_MINUTES = f"INSERT INTO messaging_minutecount (minute, messages) {BY_MINUTE}"

# No line comes to Python: PostgreSQL looks at them, counts, and says how far it came.
# Uses indexes: rooms_room_pkey, event_seq_once, messaging_lastmessage_pkey and
# messaging_minutecount_pkey.
_FOLLOW = f"""
WITH stretch AS MATERIALIZED (
    SELECT r.id, r.last_seq, p.after, LEAST(r.last_seq, p.after + %(limit)s) AS until
    FROM unnest(%(rooms)s::bigint[], %(afters)s::bigint[]) AS p (room_id, after)
    JOIN rooms_room r ON r.id = p.room_id
), line AS MATERIALIZED (
    SELECT e.room_id, e.seq, e.created_at, e.kind IN {in_sql(UNREAD)} AS is_said
    FROM stretch s CROSS JOIN LATERAL (
        SELECT * FROM messaging_event
        WHERE room_id = s.id AND seq > s.after AND seq <= s.until
    ) e
), last AS (
    INSERT INTO messaging_lastmessage AS l (room_id, at)
    SELECT room_id, max(created_at) FROM line WHERE is_said GROUP BY room_id
    ON CONFLICT (room_id) DO UPDATE SET at = GREATEST(l.at, excluded.at)
), counted AS (
    INSERT INTO messaging_minutecount AS m (minute, messages)
    SELECT date_trunc('minute', created_at, 'UTC'), count(*) FROM line
    WHERE is_said GROUP BY 1
    ON CONFLICT (minute) DO UPDATE SET messages = m.messages + excluded.messages
)
SELECT s.id, s.last_seq, (SELECT min(seq) FROM line WHERE room_id = s.id), s.until FROM stretch s
"""
_FORGET = "DELETE FROM messaging_minutecount WHERE minute < %(before)s"
_COUNTED = "SELECT minute, messages FROM messaging_minutecount WHERE minute >= %(since)s"


class Counters(Follower):
    name = _NAME
    starts_at = "now"
    gather_seconds = 1.0  # nobody looks at them more often

    def begin(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_FIRST_LAST_MESSAGES)
            cursor.execute(_FIRST_MINUTES, {"since": minute_of(timezone.now() - SHOWN)})

    def follow(self, positions: Mapping[int, int]) -> dict[int, Stretch]:
        asked = {"rooms": list(positions), "afters": list(positions.values())}
        found = rows(_FOLLOW, asked | {"limit": LINES_MAX})
        with connection.cursor() as cursor:
            cursor.execute(_FORGET, {"before": minute_of(timezone.now() - KEPT)})
        return {room: Stretch(*stretch) for room, *stretch in found}


def minute_of(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def by_minute(since: datetime) -> dict[datetime, int]:
    """How many messages were said in each minute from `since` on; quiet ones are left out."""
    return {at: int(count) for at, count in rows(_COUNTED, {"since": since})}
