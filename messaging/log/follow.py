"""The next lines of many logs, for those who follow them."""

from collections.abc import Mapping
from typing import NamedTuple

from messaging.log.event import Event
from messaging.log.rows import as_event, rows

# From each room's place on, and where its log ends at the same moment. PostgreSQL knows the length
# of a text without reading it: a page ends with the line that reaches its bytes.
# Uses indexes: rooms_room_pkey, event_seq_once and accounts_user_pkey.
FOLLOW = """
SELECT r.id, r.last_seq,
    e.seq, e.kind, e.created_at, e.sender_id, u.display_name, e.client_id, e.body
FROM unnest(%(rooms)s::bigint[], %(afters)s::bigint[]) AS p (room_id, after)
JOIN rooms_room r ON r.id = p.room_id
LEFT JOIN LATERAL (
    SELECT * FROM (
        SELECT page.*, sum(octet_length(body)) OVER (ORDER BY seq) - octet_length(body) AS before
        FROM (
            SELECT * FROM messaging_event WHERE room_id = p.room_id AND seq > p.after
            ORDER BY seq LIMIT %(limit)s
        ) page
    ) sized WHERE before < %(bytes)s
) e ON true
LEFT JOIN accounts_user u ON u.id = e.sender_id
ORDER BY r.id, e.seq
"""


class NextLines(NamedTuple):
    """The lines of a room after a place, none if none are kept; and where its log ended."""

    head: int
    lines: list[Event]


def follow(afters: Mapping[int, int], *, limit: int, most: int) -> dict[int, NextLines]:
    """The lines of each room after that seq; the line that reaches `most` bytes ends a room's."""
    params = {
        "rooms": list(afters),
        "afters": list(afters.values()),
        "limit": limit,
        "bytes": most,
    }
    found: dict[int, NextLines] = {}
    for room, head, seq, *rest in rows(FOLLOW, params):
        page = found.setdefault(room, NextLines(head, []))
        if seq is not None:
            page.lines.append(as_event((room, seq, *rest)))
    return found
