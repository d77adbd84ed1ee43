"""The only hand-written SQL. Each statement names the index it lives on.

Reads come in two forms with the same text: for pages and APIs on Django's connection, and for
sockets on an async one (`messaging/database.py`).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from messaging.wire import Event, Person

UNREAD_MAX = 100  # counting stops here; "99+" needs no more
ACTIVITY_SECONDS = 5  # how coarse rooms_room.active_at is

# A room's row is the lock of its log: who holds it writes the next lines, so the order of `seq`
# is the order of commits, over all processes. Time never runs backwards within a room, even when
# the clock does. active_at moves in steps: it is indexed, and most messages should change no index.
_NEXT = f"""
    last_event_at = GREATEST(clock_timestamp(), r.last_event_at),
    active_at = CASE WHEN r.active_at < clock_timestamp() - interval '{ACTIVITY_SECONDS} s'
                     THEN clock_timestamp() ELSE r.active_at END
"""

# All messages that wait in a process, in one statement and one commit: judged, numbered, stored.
# Rooms are locked in the order of their ids, so that two processes never wait in a circle; then
# memberships, against a leave that commits meanwhile.
# A client id that is known already breaks message_sent_once; then POST_AGAIN finds what it named.
# Uses indexes: rooms_room_pkey, membership_once, message_sent_once.
_POST = f"""
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
    LEFT JOIN LATERAL ({{known}}) e ON true
), numbered AS (
    SELECT j.*, count(*) FILTER (WHERE is_fresh) OVER (PARTITION BY room_id ORDER BY n) AS k
    FROM judged j
), head AS (
    UPDATE rooms_room r SET last_seq = r.last_seq + f.many, {_NEXT}
    FROM (SELECT room_id, count(*) AS many FROM judged WHERE is_fresh GROUP BY room_id) f
    WHERE r.id = f.room_id
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
POST = _POST.format(
    known="SELECT NULL::bigint AS seq, NULL::timestamptz AS created_at, NULL AS body LIMIT 1"
)
# The same where some may have been stored before.
POST_AGAIN = _POST.format(
    known="""
        SELECT seq, created_at, body FROM messaging_event
        WHERE room_id = s.room_id AND sender_id = s.sender_id AND client_id = s.client_id
    """
)

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

# Uses indexes: membership_once, event_seq_once.
UNREAD = """
SELECT m.room_id, (
    SELECT count(*) FROM (
        SELECT 1 FROM messaging_event e
        WHERE e.room_id = m.room_id AND e.seq > m.read_seq
          AND e.kind = 'message' AND e.sender_id <> m.user_id
        LIMIT %(max)s
    ) AS counted
)
FROM rooms_membership m WHERE m.user_id = %(user)s AND m.room_id = ANY (%(rooms)s::bigint[])
"""

# Of all rooms that someone is a member of, those with the newest activity first.
# Uses indexes: rooms_membership by user, rooms_room_pkey, event_seq_once.
MY_UNREAD = """
SELECT m.room_id, r.title, m.role, m.read_seq, r.last_seq, (
    SELECT count(*) FROM (
        SELECT 1 FROM messaging_event e
        WHERE e.room_id = m.room_id AND e.seq > m.read_seq
          AND e.kind = 'message' AND e.sender_id <> m.user_id
        LIMIT %(max)s
    ) AS counted
)
FROM rooms_membership m JOIN rooms_room r ON r.id = m.room_id
WHERE m.user_id = %(user)s ORDER BY r.active_at DESC, r.id DESC LIMIT %(limit)s
"""

# Uses indexes: membership_once, rooms_room_pkey.
STANDING = """
SELECT m.role, m.read_seq, r.last_seq, r.closed_at IS NOT NULL, r.personnel
FROM rooms_membership m JOIN rooms_room r ON r.id = m.room_id
WHERE m.room_id = %(room)s AND m.user_id = %(user)s
"""
# The same for many at once; without a seat all is NULL.
STANDINGS = """
SELECT s.* FROM unnest(%(rooms)s::bigint[], %(users)s::bigint[])
                WITH ORDINALITY AS p (room_id, user_id, n)
LEFT JOIN LATERAL (
    SELECT m.role, m.read_seq, r.last_seq, r.closed_at IS NOT NULL, r.personnel
    FROM rooms_membership m JOIN rooms_room r ON r.id = m.room_id
    WHERE m.room_id = p.room_id AND m.user_id = p.user_id
) s ON true
ORDER BY p.n
"""

HEADS = """
SELECT id, last_seq, personnel FROM rooms_room WHERE id = ANY (%(rooms)s::bigint[])
"""
MY_HEADS = """
SELECT r.id, r.last_seq, r.personnel FROM rooms_membership m JOIN rooms_room r ON r.id = m.room_id
WHERE m.user_id = %(user)s AND m.room_id = ANY (%(rooms)s::bigint[])
"""
# Whether each socket's sign-in holds: its person is active, and its session (with the password of
# then) or its device (which knows that of its sign-in) is there.
# Uses indexes: django_session_pkey, accounts_device_pkey, accounts_user_pkey.
SIGN_INS = """
SELECT u.id IS NOT NULL AND (
    s.session_key IS NOT NULL AND u.sign_outs || ':' || u.password = p.password
    OR d.id IS NOT NULL AND d.password_mark = encode(sha256(convert_to(u.password, 'UTF8')), 'hex')
)
FROM unnest(%(users)s::bigint[], %(sessions)s::text[], %(passwords)s::text[], %(devices)s::uuid[])
     WITH ORDINALITY AS p (user_id, session, password, device, n)
LEFT JOIN django_session s ON s.session_key = p.session AND s.expire_date > now()
LEFT JOIN accounts_device d
       ON d.id = p.device AND d.user_id = p.user_id AND d.expires_at > now()
LEFT JOIN accounts_user u ON u.id = p.user_id AND u.is_active
ORDER BY p.n
"""
# Messages of each minute since then, all rooms together.
# Uses index: event_by_time.
BY_MINUTE = """
SELECT date_bin('1 minute', e.created_at, %(since)s::timestamptz), count(*)
FROM messaging_event e
WHERE e.created_at >= %(since)s::timestamptz AND e.kind = 'message' GROUP BY 1
"""
CLOCK = "SELECT clock_timestamp()"

# For a wire that names people by their e-mail: of these, and of all with a seat, as they came.
# Use indexes: accounts_user_pkey, membership_once.
EMAILS = "SELECT id, email FROM accounts_user WHERE id = ANY (%(users)s::bigint[])"
MEMBERS = """
SELECT u.id, u.email FROM rooms_membership m JOIN accounts_user u ON u.id = m.user_id
WHERE m.room_id = %(room)s ORDER BY m.id
"""

# Forward only, and never past the end of the log.
READ = """
UPDATE rooms_membership m SET read_seq = GREATEST(m.read_seq, LEAST(%(seq)s, r.last_seq))
FROM rooms_room r
WHERE r.id = m.room_id AND m.room_id = %(room)s AND m.user_id = %(user)s
RETURNING m.read_seq
"""

# The oldest of each room go first, so what is left of a log is always its unbroken end.
# Uses index: event_by_room_and_time.
PRUNE = """
WITH old AS (
    SELECT e.id FROM messaging_event e
    WHERE e.room_id = %(room)s AND e.created_at < %(before)s
    ORDER BY e.created_at, e.seq LIMIT %(limit)s
)
DELETE FROM messaging_event e USING old WHERE e.id = old.id
"""


class Standing(NamedTuple):
    """How someone stands in a room, and where its log ends."""

    role: str
    read_seq: int
    head: int
    is_closed: bool
    personnel: int


class Unread(NamedTuple):
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


def event(row: Sequence[Any]) -> Event:
    room, seq, kind, at, sender, name, cid, body = row
    return Event(room, seq, kind, at, Person(sender, name), cid, body)


def _rows(sql: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def append(room_id: int, kind: str, sender_ids: Iterable[int], body: str = "") -> list[Event]:
    """Write a line for each sender at the end of the log; inside a transaction."""
    params = {"room": room_id, "kind": kind, "senders": list(sender_ids), "body": body}
    return [event(row) for row in _rows(APPEND, params)]


def history(
    room_id: int, *, before: int | None = None, after: int | None = None, limit: int = 50
) -> list[Event]:
    """A page of the log, ascending: the last before `before`, or the first after `after`."""
    if after is not None:
        params = {"room": room_id, "after": after, "limit": limit}
        return [event(row) for row in _rows(AFTER, params)]
    params = {"room": room_id, "before": before or 2**63 - 1, "limit": limit}
    return [event(row) for row in _rows(BEFORE, params)]


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
        "before": 2**63 - 1 if before is None else before,
        "limit": limit,
    }
    return [event(row) for row in _rows(BACKWARDS if backwards else FORWARDS, params)]


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
    return [event(row) for row in _rows(MISSED, params)]


def unread(user_id: int, room_ids: Iterable[int]) -> dict[int, int]:
    """How much others have said that I have not read, per room, counted up to UNREAD_MAX."""
    params = {"user": user_id, "rooms": list(room_ids), "max": UNREAD_MAX}
    return {room: int(count) for room, count in _rows(UNREAD, params)}


def my_unread(user_id: int, limit: int) -> list[Unread]:
    params = {"user": user_id, "max": UNREAD_MAX, "limit": limit}
    return [Unread(*row) for row in _rows(MY_UNREAD, params)]


def standing(room_id: int, user_id: int) -> Standing | None:
    rows = _rows(STANDING, {"room": room_id, "user": user_id})
    return Standing(*rows[0]) if rows else None


def read(room_id: int, user_id: int, seq: int) -> int | None:
    """Move a member's read position forward; None for others."""
    rows = _rows(READ, {"room": room_id, "user": user_id, "seq": seq})
    return int(rows[0][0]) if rows else None


def by_minute(since: datetime) -> dict[datetime, int]:
    """How many messages were said in each minute from `since` on; quiet ones are left out."""
    return {at: int(count) for at, count in _rows(BY_MINUTE, {"since": since})}


def prune(room_id: int, before: datetime, limit: int) -> int:
    """Delete up to `limit` of the room's oldest events from before that time; says how many."""
    with connection.cursor() as cursor:
        cursor.execute(PRUNE, {"room": room_id, "before": before, "limit": limit})
        return cursor.rowcount


def post_params(drafts: Sequence[Any]) -> dict[str, str]:
    return {
        "rooms": _array(str(draft.room_id) for draft in drafts),
        "senders": _array(str(draft.sender.id) for draft in drafts),
        "cids": _array(draft.client_id.hex for draft in drafts),
        "bodies": _array(_quoted(draft.body) for draft in drafts),
    }


def _array(words: Iterable[str]) -> str:
    """An array as PostgreSQL reads it. psycopg's own way took half as long as the statement."""
    return "{" + ",".join(words) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
