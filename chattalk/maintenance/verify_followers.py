"""Whether followers are where they can be, and the counters are the log's as far as they have come.

Each statement looks at one moment, so one that is behind, as each is for a moment, is no fault.
"""

from django.conf import settings
from django.utils import timezone

from chattalk.maintenance import verify_sql
from chattalk.maintenance.report import Findings
from messaging.followers import counters
from messaging.log.rows import rows

# Uses indexes: follower_position_once, rooms_room_pkey.
_AHEAD = """
SELECT p.follower, p.room_id, p.seq, r.last_seq
FROM messaging_followerposition p JOIN rooms_room r ON r.id = p.room_id WHERE p.seq > r.last_seq
"""
# Where they differ: room, what was counted, what the log has.
_LAST_MESSAGES = f"""
SELECT coalesce(l.room_id, f.room_id), l.at, f.at FROM ({counters.LAST_MESSAGES}) f
FULL JOIN messaging_lastmessage l ON l.room_id = f.room_id WHERE l.at IS DISTINCT FROM f.at
"""
# And the same by minute.
_MINUTES = f"""
SELECT coalesce(c.minute, f.minute), coalesce(c.messages, 0), coalesce(f.messages, 0)
FROM ({counters.BY_MINUTE}) f
FULL JOIN (SELECT * FROM messaging_minutecount WHERE minute >= %(since)s) c ON c.minute = f.minute
WHERE c.messages IS DISTINCT FROM f.messages
"""


def check(findings: Findings, pruned: bool = False) -> None:
    """`pruned`: lines that were counted may have been deleted on purpose."""
    pruned = pruned or settings.MESSAGE_KEEP_DAYS > 0
    since = counters.minute_of(timezone.now() - counters.SHOWN) + counters.MINUTE
    with verify_sql.snapshot():
        ahead, last = rows(_AHEAD, {}), rows(_LAST_MESSAGES, {})
        minutes = rows(_MINUTES, {"since": since})
    for follower, room, seq, head in ahead:
        findings.add("follower_ahead", f"{follower} in room {room}: {seq} of {head}")
    for room, counted, said in last:
        if said is not None or not pruned:
            findings.add("last_message_wrong", f"room {room}: {counted}, in the log {said}")
    for minute, many, said in minutes:
        if many < said or not pruned:
            findings.add("minute_wrong", f"{minute:%H:%M} UTC: {many}, in the log {said}")
