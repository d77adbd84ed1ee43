"""What GraphQL looks up for many rooms at once: each function is a constant number of queries.

`me` is who asks. Of rooms where they have no seat, nothing of the inside is found.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from interfaces.graphql.pagination import Found, PageRequest, Place, found
from messaging import log
from messaging.log.event import PAGE_BYTES
from presence import services as presence
from rooms import services as rooms
from rooms.models import Membership, Room

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROS_MAX = 253_402_300_799_999_999  # the end of the year 9999, and of what datetime knows


class MySeat(NamedTuple):
    """How I stand in a room."""

    role: str
    joined_at: datetime
    read_seq: int
    unread: int  # counted up to log.UNREAD_MAX


def cards(room_ids: Collection[int]) -> dict[int, Room]:
    """What everyone who is signed in may see."""
    return Room.objects.select_related("owner").in_bulk(room_ids)


def seats(room_ids: Collection[int], *, me: int) -> dict[int, MySeat]:
    # Uses index: membership_once
    mine = Membership.objects.filter(user_id=me, room_id__in=room_ids)
    unread = log.unread(me, room_ids)
    return {
        seat.room_id: MySeat(seat.role, seat.joined_at, seat.read_seq, unread.get(seat.room_id, 0))
        for seat in mine
    }


def members(room_ids: Collection[int], *, me: int, page: PageRequest) -> dict[int, Found]:
    """A page of each room's members, in the order of their seats. They are as many as a room
    holds, so they are numbered whole."""
    ask = Membership.objects.filter(room_id__in=room_ids, room__memberships__user_id=me)
    if page.after:
        ask = ask.filter(pk__gt=page.after[0])
    if page.before:
        ask = ask.filter(pk__lt=page.before[0])
    order = F("pk").desc() if page.backwards else F("pk").asc()
    nth = Window(RowNumber(), partition_by=F("room_id"), order_by=order)
    ask = ask.annotate(nth=nth).filter(nth__lte=page.size + 1).select_related("user")
    return _by_room(room_ids, ask.order_by("nth"), page)


def events(room_ids: Collection[int], *, me: int, page: PageRequest) -> dict[int, Found]:
    """A page of each room's log, which ends early with the line that reaches PAGE_BYTES. Raises
    ValidationError(too_complex)."""
    lines = log.pages(
        room_ids,
        me,
        after=page.after[0] if page.after else 0,
        before=page.before[0] if page.before else None,
        limit=page.size,
        backwards=page.backwards,
        most=PAGE_BYTES,
    )
    pages = dict.fromkeys(room_ids, Found([], False))
    for room_id, (some, more) in lines.items():
        pages[room_id] = Found(some[::-1] if page.backwards else some, more)
    return pages


def _by_room(room_ids: Collection[int], items: Any, page: PageRequest) -> dict[int, Found]:
    kept: dict[int, list[Any]] = {room_id: [] for room_id in room_ids}
    for item in items:
        kept[item.room_id].append(item)
    return {room_id: found(some, page) for room_id, some in kept.items()}


def here(pairs: Collection[tuple[int, int]]) -> dict[tuple[int, int], presence.State]:
    """Whether each (room, person) is here, or since when not."""
    return presence.states_in(pairs)


def open_rooms(page: PageRequest, words: str = "") -> Found:
    """The liveliest first."""
    return _lively(Room.objects.active().matching(rooms.search_words(words)), page)


def rooms_of(me: int, page: PageRequest) -> Found:
    """Where I have a seat, the liveliest first."""
    return _lively(Room.objects.for_member(me), page)


def _lively(some: QuerySet[Room], page: PageRequest) -> Found:
    # Uses index: room_open_by_activity
    if page.after:
        some = some.filter(_beyond(page.after, "lt"))
    if page.before:
        some = some.filter(_beyond(page.before, "gt"))
    order = ("active_at", "id") if page.backwards else ("-active_at", "-id")
    return found(some.select_related("owner").order_by(*order)[: page.size + 1], page)


def lively_place(room: Room) -> Place:
    """Where a room stands among the lively ones."""
    return (room.active_at - EPOCH) // timedelta(microseconds=1), room.pk


def _beyond(place: Place, which: str) -> Q:
    at, room_id = EPOCH + timedelta(microseconds=min(place[0], MICROS_MAX)), place[1]
    same = Q(active_at=at) & Q(**{f"id__{which}": room_id})
    # The first part alone is what the index can begin at.
    return Q(**{f"active_at__{which}e": at}) & (Q(**{f"active_at__{which}": at}) | same)
