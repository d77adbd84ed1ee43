"""Pages of the log."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from messaging.log import allowance, old
from messaging.log.event import Event, fitting
from messaging.log.kinds import UNREAD, in_sql
from messaging.log.positions import UNREAD_MAX
from messaging.log.rows import as_event, rows

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
# PostgreSQL knows the length of a text without reading it.
_SIZED = """
SELECT room_id, seq, kind, created_at, sender_id, display_name, client_id, body, found FROM (
    SELECT page.*, count(*) OVER () AS found,
        sum(octet_length(body)) OVER (ORDER BY {order}) - octet_length(body) AS bytes_before
    FROM ({page}) page
) sized WHERE bytes_before < %(bytes)s ORDER BY seq
"""
SIZED_AFTER = _SIZED.format(page=AFTER, order="seq")
SIZED_BEFORE = _SIZED.format(page=BEFORE, order="seq DESC")

# A page of each room's log, for who has a seat in it; how many lines it had; and how much text all
# of them have together, none of which is sent if that is more than may be.
# Uses indexes: membership_once, event_seq_once, each once per room.
PAGES = """
SELECT room_id, seq, kind, created_at, sender_id, display_name, client_id,
    CASE WHEN total <= %(most)s THEN body ELSE '' END, found, total
FROM (SELECT sized.*, coalesce(sum(octet_length(body)) OVER (), 0) AS total FROM (
    SELECT page.*, count(*) OVER (PARTITION BY room_id) AS found, row_number() OVER page_of AS nth,
        sum(octet_length(body)) OVER page_of - octet_length(body) AS bytes_before
    FROM (
        SELECT e.room_id, e.seq, e.kind, e.created_at, e.sender_id, u.display_name, e.client_id,
            e.body
        FROM rooms_membership m CROSS JOIN LATERAL (
            SELECT * FROM messaging_event
            WHERE room_id = m.room_id AND seq > %(after)s AND seq < %(before)s
            ORDER BY seq {direction} LIMIT %(limit)s
        ) e JOIN accounts_user u ON u.id = e.sender_id
        WHERE m.user_id = %(user)s AND m.room_id = ANY (%(rooms)s::bigint[])
    ) page WINDOW page_of AS (PARTITION BY room_id ORDER BY seq {direction})
) sized WHERE bytes_before < %(bytes)s AND nth < %(limit)s) of_all ORDER BY seq {direction}
"""
FORWARDS, BACKWARDS = PAGES.format(direction="ASC"), PAGES.format(direction="DESC")

# What others said in [since, until] and I have not read, oldest first. What was on a screen that
# nobody looked at counts as missed: the span begins at the read position if that is earlier.
# The order is that of the index by time, so that it is read from the span's beginning on and no
# further than the page. The span is one of pairs, as the index has them: event_by_time knows single
# times only, and would give blocks of all rooms.
# Uses indexes: membership_once, event_by_room_and_time; event_seq_once for the read position.
_MISSED = f"""
FROM rooms_membership m CROSS JOIN LATERAL (
    SELECT LEAST(%(since)s::timestamptz, coalesce((
        SELECT created_at FROM messaging_event WHERE room_id = m.room_id AND seq = m.read_seq
    ), '-infinity')) AS since OFFSET 0
) span CROSS JOIN LATERAL (
    SELECT * FROM messaging_event
    WHERE room_id = m.room_id AND (created_at, seq) >= (span.since, 0)
      AND (created_at, seq) <= (%(until)s::timestamptz, 9223372036854775807)
      AND seq > GREATEST(m.read_seq, %(after)s)
      AND kind IN {in_sql(UNREAD)} AND sender_id <> m.user_id
    ORDER BY created_at, seq LIMIT %(limit)s
) e JOIN accounts_user u ON u.id = e.sender_id
WHERE m.room_id = %(room)s AND m.user_id = %(user)s
"""
MISSED = f"""
SELECT e.room_id, e.seq, e.kind, e.created_at, e.sender_id, u.display_name, e.client_id, e.body
{_MISSED} ORDER BY e.created_at, e.seq
"""
SIZED_MISSED = _SIZED.format(page=MISSED, order="created_at, seq")
COUNT_MISSED = f"SELECT count(*), min(e.seq) {_MISSED}"


def page(
    room_id: int, *, before: int | None, after: int | None, limit: int, most: int
) -> tuple[list[Event], bool]:
    """A page of the log, ascending, and whether there is more on its far side: the last before
    `before`, or the first after `after`. The line that reaches `most` bytes ends it."""
    params = {"room": room_id, "limit": limit + 1, "bytes": most}
    if after is not None:
        params["after"] = after
        found = old.after(SIZED_AFTER, params) or rows(SIZED_AFTER, params)
        return _sized(found, limit, most)
    params["before"] = SEQ_MAX if before is None else before
    found = (before and old.before(SIZED_BEFORE, params)) or rows(SIZED_BEFORE, params)
    return _sized(found, limit, most, from_end=True)


def _sized(
    found: list[tuple[Any, ...]], limit: int, most: int, *, from_end: bool = False
) -> tuple[list[Event], bool]:
    """The page, and whether there is more, from what a sized statement found with one line more
    than the limit."""
    asked = [as_event(row[:-1]) for row in (found[-limit:] if from_end else found[:limit])]
    kept = fitting(asked, most, from_end=from_end)
    return kept, bool(found) and found[0][-1] > len(kept)


def pages(
    room_ids: Iterable[int],
    user_id: int,
    *,
    after: int,
    before: int | None,
    limit: int,
    backwards: bool,
    most: int,
) -> dict[int, tuple[list[Event], bool]]:
    """A page of each room's log between two places, both left out; newest first if backwards; and
    whether there is more. The line that reaches `most` bytes ends a page. Nothing of rooms in which
    the person has no seat. Raises ValidationError(too_complex)."""
    params = {
        "rooms": list(room_ids),
        "user": user_id,
        "after": after,
        "before": SEQ_MAX if before is None else before,
        "limit": limit + 1,
        "bytes": most,
        "most": allowance.left(),
    }
    found = rows(BACKWARDS if backwards else FORWARDS, params)
    allowance.spend(int(found[0][-1]) if found else 0)
    by_room: dict[int, list[tuple[Any, ...]]] = {}
    for row in found:
        by_room.setdefault(row[0], []).append(row[:-1])
    return {room: _sized(lines, limit, most) for room, lines in by_room.items()}


def missed(
    room_id: int,
    user_id: int,
    *,
    since: datetime | None,
    until: datetime | None = None,
    after: int = 0,
    limit: int = UNREAD_MAX,
    most: int = SEQ_MAX,
) -> tuple[list[Event], bool]:
    """What others said since `since` and this member has not read, ascending, and whether there is
    more: that begins `after` the last seq of this page. The line that reaches `most` bytes ends it.
    Without `since`, since the read position."""
    params = _span(room_id, user_id, since, until, after) | {"limit": limit + 1, "bytes": most}
    return _sized(rows(SIZED_MISSED, params), limit, most)


def count_missed(
    room_id: int, user_id: int, *, since: datetime | None, limit: int
) -> tuple[int, int | None]:
    """How many lines `missed` has, up to `limit`, and which is the first."""
    params = _span(room_id, user_id, since, None, 0) | {"limit": limit}
    count, first = rows(COUNT_MISSED, params)[0]
    return int(count), first


def _span(
    room_id: int, user_id: int, since: datetime | None, until: datetime | None, after: int
) -> dict[str, Any]:
    return {
        "room": room_id,
        "user": user_id,
        "since": since or "infinity",
        "until": until or "infinity",
        "after": after,
    }
