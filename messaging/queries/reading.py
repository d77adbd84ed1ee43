"""Pages of the log."""

from collections.abc import Iterable
from datetime import datetime

from messaging.queries.positions import UNREAD_MAX
from messaging.queries.rows import event, rows
from messaging.wire import Event

SEQ_MAX = 2**63 - 1

_EVENT = """
SELECT e.room_id, e.seq, e.kind, e.created_at, e.sender_id, u.display_name, e.client_id, e.body
FROM messaging_event e JOIN accounts_user u ON u.id = e.sender_id
"""

# Uses index: event_seq_once.
AFTER = f"""{_EVENT}
WHERE e.room_id = %(room)s AND e.seq > %(after)s ORDER BY e.seq LIMIT %(limit)s
"""
BEFORE = f"""SELECT * FROM ({_EVENT}
    WHERE e.room_id = %(room)s AND e.seq < %(before)s ORDER BY e.seq DESC LIMIT %(limit)s
) page ORDER BY seq
"""

# The lines of such a page that have less text before them than may be, and how many it had.
_SIZED = """
SELECT room_id, seq, kind, created_at, sender_id, display_name, client_id, body, found FROM (
    SELECT page.*, count(*) OVER () AS found,
        sum(octet_length(body)) OVER (ORDER BY seq {direction}) - octet_length(body) AS bytes_before
    FROM ({page}) page
) sized WHERE bytes_before < %(bytes)s ORDER BY seq
"""
SIZED_AFTER = _SIZED.format(page=AFTER, direction="ASC")
SIZED_BEFORE = _SIZED.format(page=BEFORE, direction="DESC")

# A page of each room's log, for who has a seat in it.
# Uses indexes: membership_once, event_seq_once, each once per room.
PAGES = """
SELECT e.room_id, e.seq, e.kind, e.created_at, e.sender_id, u.display_name, e.client_id, e.body
FROM rooms_membership m CROSS JOIN LATERAL (
    SELECT * FROM messaging_event
    WHERE room_id = m.room_id AND seq > %(after)s AND seq < %(before)s
    ORDER BY seq {direction} LIMIT %(limit)s
) e JOIN accounts_user u ON u.id = e.sender_id
WHERE m.user_id = %(user)s AND m.room_id = ANY (%(rooms)s::bigint[])
ORDER BY e.seq {direction}
"""
FORWARDS, BACKWARDS = PAGES.format(direction="ASC"), PAGES.format(direction="DESC")

# What others said in [since, until] and I have not read, oldest first. What was on a screen that
# nobody looked at counts as missed: the span begins at the read position if that is earlier.
# The order is that of the index by time, so that it is read from the span's beginning on and no
# further than the page. The span is one of pairs, as the index has them: event_by_time knows single
# times only, and would give blocks of all rooms.
# Uses indexes: membership_once, event_by_room_and_time; event_seq_once for the read position.
MISSED = """
SELECT e.room_id, e.seq, e.kind, e.created_at, e.sender_id, u.display_name, e.client_id, e.body
FROM rooms_membership m CROSS JOIN LATERAL (
    SELECT LEAST(%(since)s::timestamptz, coalesce((
        SELECT created_at FROM messaging_event WHERE room_id = m.room_id AND seq = m.read_seq
    ), '-infinity')) AS since OFFSET 0
) span CROSS JOIN LATERAL (
    SELECT * FROM messaging_event
    WHERE room_id = m.room_id AND (created_at, seq) >= (span.since, 0)
      AND (created_at, seq) <= (%(until)s::timestamptz, 9223372036854775807)
      AND seq > GREATEST(m.read_seq, %(after)s)
      AND kind = 'message' AND sender_id <> m.user_id
    ORDER BY created_at, seq LIMIT %(limit)s
) e JOIN accounts_user u ON u.id = e.sender_id
WHERE m.room_id = %(room)s AND m.user_id = %(user)s
ORDER BY e.created_at, e.seq
"""

# Messages of each minute since then, all rooms together.
# Uses index: event_by_time.
BY_MINUTE = """
SELECT date_bin('1 minute', e.created_at, %(since)s::timestamptz), count(*)
FROM messaging_event e
WHERE e.created_at >= %(since)s::timestamptz AND e.kind = 'message' GROUP BY 1
"""


def newest(room_id: int, limit: int = 50) -> list[Event]:
    """The end of the log, ascending."""
    params = {"room": room_id, "before": SEQ_MAX, "limit": limit}
    return [event(row) for row in rows(BEFORE, params)]


def page(
    room_id: int, *, before: int | None, after: int | None, limit: int, most: int
) -> tuple[list[Event], bool]:
    """A page of the log, ascending, and whether there is more on its far side: the last before
    `before`, or the first after `after`. The line that reaches `most` bytes of text ends it."""
    params = {"room": room_id, "limit": limit + 1, "bytes": most}
    if after is not None:
        found = rows(SIZED_AFTER, params | {"after": after})
        kept = found[:limit]
    else:
        found = rows(SIZED_BEFORE, params | {"before": SEQ_MAX if before is None else before})
        kept = found[-limit:]
    return [event(row[:-1]) for row in kept], bool(found) and found[0][-1] > len(kept)


def pages(
    room_ids: Iterable[int],
    user_id: int,
    *,
    after: int,
    before: int | None,
    limit: int,
    backwards: bool,
) -> list[Event]:
    """A page of each room's log between two places, both left out; newest first if backwards.
    Nothing of rooms in which the person has no seat."""
    params = {
        "rooms": list(room_ids),
        "user": user_id,
        "after": after,
        "before": SEQ_MAX if before is None else before,
        "limit": limit,
    }
    return [event(row) for row in rows(BACKWARDS if backwards else FORWARDS, params)]


def missed(
    room_id: int,
    user_id: int,
    *,
    since: datetime | None,
    until: datetime | None = None,
    after: int = 0,
    limit: int = UNREAD_MAX,
) -> list[Event]:
    """What others said since `since` and this member has not read, ascending; the next page
    begins `after` the last seq of this one. Without `since`, since the read position."""
    params = {
        "room": room_id,
        "user": user_id,
        "since": since or "infinity",
        "until": until or "infinity",
        "after": after,
        "limit": limit,
    }
    return [event(row) for row in rows(MISSED, params)]


def by_minute(since: datetime) -> dict[datetime, int]:
    """How many messages were said in each minute from `since` on; quiet ones are left out."""
    return {at: int(count) for at, count in rows(BY_MINUTE, {"since": since})}
