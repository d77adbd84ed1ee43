"""What happened in a room while someone was away.

Refusals are NotMember.
"""

from datetime import datetime

from django.db.models import Func, IntegerField, QuerySet

from messaging import log
from messaging.log.event import PAGE_BYTES, Event
from messaging.log.kinds import MISSED
from messaging.models import Event as Log
from presence import services as presence
from rooms.models import Membership
from rooms.services import NotMember


def since(room_id: int, user_id: int, moment: datetime, limit: int) -> list[Log]:
    """What was said and who came and went from that moment on, oldest first, for who has a seat.
    The line that reaches PAGE_BYTES of text ends it.

    Raises NotMember, ValidationError(too_complex).
    """
    _check_seat(room_id, user_id)
    # Uses index: event_by_room_and_time
    found = Log.objects.filter(room_id=room_id, created_at__gte=moment, kind__in=MISSED)
    events = found.order_by("created_at", "seq")
    kept = Log.objects.filter(pk__in=_within(events[:limit], PAGE_BYTES))
    return list(kept.select_related("sender").order_by("created_at", "seq"))


def _within(events: QuerySet[Log], most: int) -> list[int]:
    """The ids of the first lines, up to the one that reaches so many bytes of text. To know a
    text's length, PostgreSQL need not read it. Raises ValidationError(too_complex)."""
    size = Func("body", function="octet_length", output_field=IntegerField())
    ids: list[int] = []
    read = 0
    for pk, amount in events.annotate(size=size).values_list("pk", "size"):
        if read >= most:
            break
        ids.append(pk)
        read += amount
    log.allowance.spend(read)
    return ids


def went_away(room_id: int, user_id: int) -> datetime:
    """When a member last went away; when they took their seat, if that is not known.

    Raises NotMember.
    """
    seat = _check_seat(room_id, user_id)
    exit = presence.last_exit(room_id, user_id)
    return max(exit.at, seat.joined_at) if exit else seat.joined_at


def _check_seat(room_id: int, user_id: int) -> Membership:
    seat = Membership.objects.filter(room_id=room_id, user_id=user_id).first()
    if seat is None:
        raise NotMember
    return seat


def missed(
    room_id: int,
    user_id: int,
    *,
    since: datetime | None = None,
    after: int = 0,
    limit: int = log.UNREAD_MAX,
    most: int = log.SEQ_MAX,
) -> tuple[datetime | None, list[Event], bool]:
    """Since when someone was away (None: unknown); what others said since that they have not read,
    oldest first, and whether there is more. Another `since` may be asked for; it hides nothing that
    was not read. The line that reaches `most` bytes ends the page."""
    since = since or _exit_at(room_id, user_id)
    page = log.missed(room_id, user_id, since=since, after=after, limit=limit, most=most)
    return since, *page


def count_missed(room_id: int, user_id: int, limit: int) -> tuple[datetime | None, int, int | None]:
    """Since when; how many lines `missed` has, up to `limit`; and the `seq` of the first."""
    since = _exit_at(room_id, user_id)
    return since, *log.count_missed(room_id, user_id, since=since, limit=limit)


def _exit_at(room_id: int, user_id: int) -> datetime | None:
    exit = presence.last_exit(room_id, user_id)
    return exit.at if exit else None
