"""What the conversation page shows first, and the pages of the log that its script asks for."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.numbers import number
from messaging import away, queries, wire
from presence import services as presence
from rooms.models import Membership, Room
from rooms.services import moderates

FIRST_PAGE = 50  # events shown at once
CONTEXT = 8  # events shown above the first missed one
MISSED_CAP = 100  # missed messages counted; the page says "100+" from there
HISTORY_MAX = 100  # events in one answer
HISTORY_BYTES = wire.PAGE_BYTES
FIRST_BYTES = 200 * 1024  # within a page that shows more; the longest CONTEXT and a line have room
MEMBERS_PAGE = 50  # people
MY_ROOMS_MAX = 200  # in the sidebar: as many as one socket may watch


def conversation(room: Room, me: User, standing: queries.Standing) -> dict[str, Any]:
    gap = missed(room.pk, me.pk)
    return {
        "room": room,
        "standing": standing,
        **mine(me),
        "start": {
            "room": {"id": room.pk},
            "about": wire.plain(standing.about),
            "moderates": moderates(me),
            "me": {"id": me.pk, "name": me.display_name},
            "head": standing.head,
            "read": standing.read_seq,
            "missed": gap,
            "urls": {
                name: reverse(f"messaging:{name}", args=[room.pk])
                for name in ("history", "missed", "members")
            },
            **first_page(room.pk, gap["first_seq"]),
        },
    }


def first_page(room_id: int, first_missed: int | None) -> dict[str, Any]:
    """The newest lines; or, if something was missed, from a little before it."""
    if first_missed is None:
        newest = _lines(room_id, limit=FIRST_PAGE, most=FIRST_BYTES)
        return {"events": newest["events"], "older": newest["more"], "newer": False}
    before = max(0, first_missed - 1 - CONTEXT)
    page = _lines(room_id, after=before, limit=FIRST_PAGE + CONTEXT, most=FIRST_BYTES)
    older = bool(page["events"]) and page["events"][0]["seq"] > 1
    return {"events": page["events"], "older": older, "newer": page["more"]}


def history(
    room_id: int, *, before: int | None = None, after: int | None = None, limit: int = FIRST_PAGE
) -> dict[str, Any]:
    """A page of the log, oldest first, and whether there is more on its far side."""
    return _lines(room_id, before=before, after=after, limit=limit, most=HISTORY_BYTES)


def _lines(
    room_id: int, *, before: int | None = None, after: int | None = None, limit: int, most: int
) -> dict[str, Any]:
    found, more = queries.page(room_id, before=before, after=after, limit=limit, most=most)
    return {"events": [wire.plain(event) for event in found], "more": more}


def span(asked: Mapping[str, str]) -> dict[str, int]:
    """`before` or `after`, and `limit`, as someone typed them into an address."""
    if "before" in asked and "after" in asked:
        raise ValidationError(_("Ask for what was before or after, not both."), code="bad_request")
    bounds = {"before": queries.SEQ_MAX, "after": queries.SEQ_MAX, "limit": HISTORY_MAX}
    return {name: _whole(asked, name, most) for name, most in bounds.items() if name in asked}


def _whole(asked: Mapping[str, str], name: str, most: int) -> int:
    low = 1 if name == "limit" else 0
    value = number(asked[name])
    if value is None or not low <= value <= most:
        text = _("%(name)s must be a whole number from %(low)d to %(most)d.")
        params = {"name": name, "low": low, "most": most}
        raise ValidationError(text, code="bad_request", params=params)
    return value


def missed(room_id: int, user_id: int) -> dict[str, Any]:
    """What others said since I went away, as far as I have not read it: how much, and where."""
    since, count, first = away.count_missed(room_id, user_id, MISSED_CAP + 1)
    return {
        "count": min(count, MISSED_CAP),
        "more": count > MISSED_CAP,
        "first_seq": first,
        "since": since.isoformat() if since else None,
    }


def members(room_id: int, page: str | None, words: str = "") -> dict[str, Any]:
    """The owner first, then by name; those with these words in their name."""
    found = seats(room_id)
    found = found.filter(user__display_name__icontains=words) if words else found
    people = Paginator(found.order_by("-role", "user__display_name", "pk"), MEMBERS_PAGE)
    shown = people.get_page(page)
    with_states(room_id, shown)
    return {"people": shown, "room_id": room_id}


def seats(room_id: int) -> QuerySet[Membership]:
    # Uses index: membership_once (by room).
    return Membership.objects.filter(room_id=room_id).select_related("user")


def with_states(room_id: int, seats: Iterable[Membership]) -> Iterable[Membership]:
    """Each with its `state`: whether they are here, and since when not; None where unknown."""
    states = presence.states(room_id, [seat.user_id for seat in seats])
    for seat in seats:
        seat.state = states.get(seat.user_id)
    return seats


def mine(me: User) -> dict[str, Any]:
    """My rooms, the liveliest first, and how many more there are than are shown."""
    shown = my_rooms(me)
    more = Room.objects.of(me.pk).count() - len(shown) if len(shown) == MY_ROOMS_MAX else 0
    return {"my_rooms": shown, "more_rooms": more}


def my_rooms(me: User) -> list[Room]:
    rooms = list(Room.objects.of(me.pk).order_by("-active_at", "-id")[:MY_ROOMS_MAX])
    unread = queries.unread(me.pk, [room.pk for room in rooms])
    for room in rooms:
        room.unread = unread.get(room.pk, 0)
    return rooms


def opened_by(me: User) -> QuerySet[Room]:
    """Rooms that are mine and that I have no seat in, also closed ones: no other list has them."""
    # Uses index: the one of rooms_room.owner_id
    seat = Membership.objects.filter(room=OuterRef("pk"), user_id=me.pk)
    mine = Room.objects.filter(~Exists(seat), owner_id=me.pk)
    return mine.order_by("-active_at", "-id")[:MY_ROOMS_MAX]
