"""The next lines of a room's log."""

from collections.abc import Iterable, Sequence
from typing import Any

from core.postgresql import arrays
from messaging.log.event import Event
from messaging.log.rows import as_event, rows

ACTIVITY_SECONDS = 5  # how coarse rooms_room.active_at is

# A room's row is the lock of its log: who holds it writes the next lines, so the order of `seq`
# is the order of commits, over all processes. Time never runs backwards within a room, even when
# the clock does. active_at moves in steps: it is indexed, and most messages should change no index.
_NEXT = f"""
    last_event_at = GREATEST(clock_timestamp(), r.last_event_at),
    active_at = CASE WHEN r.active_at < clock_timestamp() - interval '{ACTIVITY_SECONDS} s'
                     THEN clock_timestamp() ELSE r.active_at END
"""

# All messages that wait in a process, in one statement and one commit, as if each of them may be
# stored: what is not so breaks it, and POST_AGAIN judges each. Who has no seat, or has none any
# more, breaks that an event has a sender; a client id that is known already, message_sent_once.
# A room that is closed or not there takes nothing, and is not answered.
# Rooms are locked in the order of their ids, as the index has them, so that two processes never
# wait in a circle; then memberships, against a leave that commits meanwhile. Whether a room is open
# is asked so that room_open_by_activity, which has another order, is no help.
# Uses indexes: rooms_room_pkey, membership_once.
_MANY = "(%(manys)s::bigint[])[array_position(%(ids)s::bigint[], r.id)]"
POST = f"""
WITH head AS (
    UPDATE rooms_room r SET last_seq = r.last_seq + {_MANY}, {_NEXT}
    WHERE r.id = ANY (%(ids)s::bigint[]) AND coalesce(r.closed_at, 'infinity') = 'infinity'
    RETURNING r.id, r.last_seq - {_MANY} AS base, r.last_event_at AS at
), stored AS (
    INSERT INTO messaging_event (room_id, seq, kind, sender_id, client_id, body, created_at)
    SELECT s.room_id, h.base + s.k, 'message', (
        SELECT user_id FROM rooms_membership
        WHERE room_id = s.room_id AND user_id = s.sender_id FOR KEY SHARE
    ), s.client_id, s.body, h.at
    FROM head h JOIN unnest(%(rooms)s::bigint[], %(ks)s::bigint[], %(senders)s::bigint[],
                            %(cids)s::uuid[], %(bodies)s::text[])
                     AS s (room_id, k, sender_id, client_id, body) ON s.room_id = h.id
)
SELECT id, base, at FROM head
"""

# The same, judged one by one: some may have been stored before, or are of who may not speak.
# Uses indexes: rooms_room_pkey, membership_once, message_sent_once.
POST_AGAIN = f"""
WITH sent AS (
    SELECT * FROM unnest(%(rooms)s::bigint[], %(senders)s::bigint[], %(cids)s::uuid[],
                         %(bodies)s::text[])
             WITH ORDINALITY AS s (room_id, sender_id, client_id, body, n)
), room AS (
    SELECT id, closed_at FROM rooms_room WHERE id = ANY (%(rooms)s::bigint[])
    ORDER BY id FOR NO KEY UPDATE
), judged AS (
    SELECT s.*, coalesce(m.is_member, false) AS is_member, r.closed_at IS NOT NULL AS is_closed,
           e.seq, e.created_at, e.body = s.body AS same,
           m.is_member AND r.closed_at IS NULL AND e.seq IS NULL AS is_fresh
    FROM sent s LEFT JOIN room r ON r.id = s.room_id
    LEFT JOIN LATERAL (
        SELECT true AS is_member FROM rooms_membership
        WHERE room_id = r.id AND user_id = s.sender_id FOR KEY SHARE
    ) m ON true
    LEFT JOIN LATERAL (
        SELECT seq, created_at, body FROM messaging_event
        WHERE room_id = s.room_id AND sender_id = s.sender_id AND client_id = s.client_id LIMIT 1
    ) e ON true
), numbered AS (
    SELECT j.*, count(*) FILTER (WHERE is_fresh) OVER (PARTITION BY room_id ORDER BY n) AS k
    FROM judged j
), head AS (
    UPDATE rooms_room r SET last_seq = r.last_seq + f.many, {_NEXT}
    FROM (SELECT room_id, count(*) AS many FROM judged WHERE is_fresh GROUP BY room_id) f
    WHERE r.id = f.room_id AND r.id = ANY (%(rooms)s::bigint[])
    RETURNING r.id, r.last_seq - f.many AS base, r.last_event_at AS at
), stored AS (
    INSERT INTO messaging_event (room_id, seq, kind, sender_id, client_id, body, created_at)
    SELECT f.room_id, h.base + f.k, 'message', f.sender_id, f.client_id, f.body, h.at
    FROM numbered f JOIN head h ON h.id = f.room_id WHERE f.is_fresh
)
SELECT f.is_member, f.is_closed, coalesce(f.seq, h.base + f.k), coalesce(f.created_at, h.at),
       f.seq IS NOT NULL AS repeated, coalesce(f.same, true)
FROM numbered f LEFT JOIN head h ON h.id = f.room_id AND f.is_fresh
ORDER BY f.n
"""

# Which of these rooms nobody else is writing to.
FREE = """
SELECT id FROM rooms_room WHERE id = ANY (%(rooms)s::bigint[]) FOR NO KEY UPDATE SKIP LOCKED
"""

# Enter, leave, close: in the transaction of the change itself.
APPEND = f"""
WITH head AS (
    UPDATE rooms_room r SET last_seq = r.last_seq + cardinality(%(senders)s::bigint[]), {_NEXT}
    WHERE r.id = %(room)s
    RETURNING r.last_seq - cardinality(%(senders)s::bigint[]) AS base, r.last_event_at AS at
), stored AS (
    INSERT INTO messaging_event (room_id, seq, kind, sender_id, body, created_at)
    SELECT %(room)s, head.base + s.k, %(kind)s, s.sender_id, %(body)s, head.at
    FROM head, unnest(%(senders)s::bigint[]) WITH ORDINALITY AS s (sender_id, k)
    RETURNING seq, kind, created_at, sender_id, client_id, body
)
SELECT %(room)s::bigint, e.seq, e.kind, e.created_at, e.sender_id, u.display_name, e.client_id,
       e.body
FROM stored e JOIN accounts_user u ON u.id = e.sender_id ORDER BY e.seq
"""


def append(room_id: int, kind: str, sender_ids: Iterable[int], body: str = "") -> list[Event]:
    """Write a line for each sender at the end of the log; inside a transaction. Nobody hears of it:
    messaging/live/announce.py has the `append` that services call."""
    params = {"room": room_id, "kind": kind, "senders": list(sender_ids), "body": body}
    return [as_event(row) for row in rows(APPEND, params)]


def post_params(drafts: Sequence[Any]) -> dict[str, str]:
    """What POST takes, and POST_AGAIN, which numbers them itself."""
    many: dict[int, int] = {}
    ks = []
    for draft in drafts:
        many[draft.room_id] = k = many.get(draft.room_id, 0) + 1
        ks.append(str(k))
    rooms = sorted(many)
    return {
        "ids": arrays.of_numbers(rooms),
        "manys": arrays.of_numbers([many[room_id] for room_id in rooms]),
        "rooms": arrays.of_numbers([draft.room_id for draft in drafts]),
        "ks": arrays.of_plain(ks),
        "senders": arrays.of_numbers([draft.sender.id for draft in drafts]),
        "cids": arrays.of_plain([draft.client_id.hex for draft in drafts]),
        "bodies": arrays.of_texts([draft.body for draft in drafts]),
    }
