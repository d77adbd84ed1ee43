"""Whether each room's log is whole, its seats are counted right, and nobody named is missing."""

from collections.abc import Iterator

from django.conf import settings
from django.db.models import Count, Sum

from chattalk.maintenance import verify_sql
from chattalk.maintenance.progress import Advance
from chattalk.maintenance.report import Findings
from chattalk.maintenance.verify_sql import Log, Look, Seats
from rooms.models import Room

ROOMS_AT_ONCE = 500
LINES_AT_ONCE = 100_000  # of all rooms that are looked at together; a longer room comes alone


def steps() -> int:
    """How many lines there are to look at, about; and one for each room."""
    found = Room.objects.aggregate(lines=Sum("last_seq"), rooms=Count("pk"))
    return int(found["lines"] or 0) + int(found["rooms"])


def check(findings: Findings, advance: Advance, pruned: bool = False) -> None:
    """Room by room, each at one moment: people may talk meanwhile.

    `pruned`: the beginnings of logs may have been deleted on purpose.
    """
    pruned = pruned or settings.MESSAGE_KEEP_DAYS > 0
    for room_ids, lines in _batches():
        look = verify_sql.look(room_ids)
        _judge(findings, look, pruned)
        findings.saw("rooms", len(look.logs))
        findings.saw("lines", sum(log.many for log in look.logs))
        findings.saw("members", sum(seats.many for seats in look.seats))
        advance(lines + len(room_ids))
    for room_id in verify_sql.roomless(verify_sql.ROOMLESS_LINES):
        findings.add("line_without_room", f"room {room_id}")
    for room_id in verify_sql.roomless(verify_sql.ROOMLESS_SEATS):
        findings.add("seat_without_room", f"room {room_id}")


def _batches() -> Iterator[tuple[list[int], int]]:
    """Rooms that are looked at together, and about how many lines they have."""
    last = 0
    while found := list(
        Room.objects.filter(pk__gt=last)
        .order_by("pk")
        .values_list("pk", "last_seq")[:ROOMS_AT_ONCE]
    ):
        batch: list[int] = []
        lines = 0
        for room_id, last_seq in found:
            if batch and lines + last_seq > LINES_AT_ONCE:
                yield batch, lines
                batch, lines = [], 0
            batch.append(room_id)
            lines += last_seq
        yield batch, lines
        last = found[-1][0]


def _judge(findings: Findings, look: Look, pruned: bool) -> None:
    for log in look.logs:
        _judge_log(findings, log, look.heads[log.room][0], pruned)
    for seats in look.seats:
        _judge_seats(findings, seats, *look.heads[seats.room])
    for room, many in look.sent_twice:
        findings.add("sent_twice", f"room {room}: {many}", many)
    for room, many in look.senderless:
        findings.add("sender_missing", f"room {room}: {many}", many)


def _judge_log(findings: Findings, log: Log, head: int, pruned: bool) -> None:
    if twice := log.many - log.different:
        findings.add("seq_twice", f"room {log.room}: {twice}", twice)
    if log.many and (missing := log.last - log.first + 1 - log.different):
        findings.add("seq_hole", f"room {log.room}: {missing} of {log.first}–{log.last}", missing)
    gone = log.first - 1 if log.many else head
    if gone and pruned:
        findings.saw("lines pruned", gone)
    elif gone:
        findings.add("beginning_missing", f"room {log.room}: {gone} lines")
    if log.many and log.last != head:
        findings.add("head_wrong", f"room {log.room}: {head}, its last line is {log.last}")


def _judge_seats(findings: Findings, seats: Seats, head: int, personnel: int) -> None:
    where = f"room {seats.room}"
    if seats.many != personnel:
        findings.add("personnel_wrong", f"{where}: {personnel}, but {seats.many} members")
    if seats.many > seats.capacity:
        findings.add("over_capacity", f"{where}: {seats.many} members, {seats.capacity} seats")
    if seats.furthest > head:
        findings.add("read_ahead", f"{where}: read up to {seats.furthest} of {head}")
    if seats.misnamed:
        findings.add("role_wrong", f"{where}: {seats.misnamed}", seats.misnamed)
    if seats.unknown:
        findings.add("member_missing", f"{where}: {seats.unknown}", seats.unknown)
    if seats.ownerless:
        findings.add("owner_missing", where)
