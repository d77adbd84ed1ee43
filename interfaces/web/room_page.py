"""What the conversation page shows first, and the lists beside it."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse

from accounts.models import User
from messaging import log
from messaging.log.event import plain
from messaging.services import away
from messaging.services.history import FIRST_PAGE, _lines, seats, with_states
from rooms.models import Membership, Room
from rooms.services import moderates

CONTEXT = 8  # events shown above the first missed one
MISSED_CAP = 100  # missed messages counted; the page says "100+" from there
FIRST_BYTES = 200 * 1024  # within a page that shows more; the longest CONTEXT and a line have room
MEMBERS_PAGE = 50  # people
MY_ROOMS_MAX = 200  # in the sidebar: as many as one socket may watch


def conversation(room: Room, me: User, state: log.MemberState) -> dict[str, Any]:
    gap = missed(room.pk, me.pk)
    return {
        "room": room,
        **mine(me),
        "start": {
            "room": {"id": room.pk},
            "about": plain(state.about),
            "moderates": moderates(me),
            "me": {"id": me.pk, "name": me.display_name},
            "head": state.head,
            "read": state.read_seq,
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


def mine(me: User) -> dict[str, Any]:
    """My rooms, the liveliest first, and how many more there are than are shown."""
    shown = my_rooms(me)
    more = Room.objects.for_member(me.pk).count() - len(shown) if len(shown) == MY_ROOMS_MAX else 0
    return {"my_rooms": shown, "more_rooms": more}


def my_rooms(me: User) -> list[Room]:
    rooms = list(Room.objects.for_member(me.pk).order_by("-active_at", "-id")[:MY_ROOMS_MAX])
    unread = log.unread(me.pk, [room.pk for room in rooms])
    for room in rooms:
        room.unread = unread.get(room.pk, 0)
    return rooms


def opened_by(me: User) -> QuerySet[Room]:
    """Rooms that are mine and that I have no seat in, also closed ones: no other list has them."""
    # Uses index: the one of rooms_room.owner_id
    seat = Membership.objects.filter(room=OuterRef("pk"), user_id=me.pk)
    mine = Room.objects.filter(~Exists(seat), owner_id=me.pk)
    return mine.order_by("-active_at", "-id")[:MY_ROOMS_MAX]
