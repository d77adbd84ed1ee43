"""What is relayed to others: which logs are how long, and the next lines of many of them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from messaging.log.rows import rows

RECENT_SECONDS = 60  # longer than a transaction may take from its first line to its COMMIT

# From each room's last relayed line on, that one too: so it is seen if it is another one by now.
# No name is looked up, and nothing but texts and numbers is made of a line: this is read by the ten
# thousands, and to make a datetime of each time took five times as long as all else.
# Uses indexes: rooms_room_pkey, event_seq_once.
LINES = """
SELECT r.id, r.last_seq, e.seq, e.kind,
    to_char(e.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    e.sender_id, e.client_id::text, e.body
FROM unnest(%(rooms)s::bigint[], %(lasts)s::bigint[]) AS p (room_id, last)
JOIN rooms_room r ON r.id = p.room_id
LEFT JOIN LATERAL (
    SELECT * FROM messaging_event WHERE room_id = p.room_id AND seq >= p.last
    ORDER BY seq LIMIT %(limit)s
) e ON true
ORDER BY r.id, e.seq
"""
# Uses index: rooms_room_pkey.
_LENGTHS = """
SELECT id, last_seq FROM rooms_room WHERE id > %(after)s ORDER BY id LIMIT %(limit)s
"""
# Uses index: room_open_by_activity. The time is that of the statement, as an index needs it.
_LENGTHS_LATELY = f"""
SELECT id, last_seq FROM rooms_room
WHERE closed_at IS NULL AND active_at > statement_timestamp() - interval '{RECENT_SECONDS} s'
ORDER BY active_at DESC, id DESC LIMIT %(limit)s
"""


class NextRows(NamedTuple):
    """The lines of a room from its last relayed one on, as rows (seq, kind, created_at, sender_id,
    client_id, body; times and ids are texts), none if none are kept; and where its log ended."""

    head: int
    rows: list[tuple[Any, ...]]


def next_rows(lasts: Mapping[int, int], limit: int) -> dict[int, NextRows]:
    """The next lines of each of these rooms; of one that is not there, nothing."""
    params = {"rooms": list(lasts), "lasts": list(lasts.values()), "limit": limit}
    found: dict[int, NextRows] = {}
    for room, head, *line in rows(LINES, params):
        page = found.get(room)
        if page is None:
            page = found[room] = NextRows(head, [])
        if line[0] is not None:
            page.rows.append(tuple(line))
    return found


def heads(after: int, limit: int) -> dict[int, int]:
    """Where logs end, of the next rooms in the order of their ids."""
    return dict(rows(_LENGTHS, {"after": after, "limit": limit}))


def heads_lately(limit: int) -> dict[int, int]:
    """The same of open rooms in which something has just happened."""
    return dict(rows(_LENGTHS_LATELY, {"limit": limit}))
