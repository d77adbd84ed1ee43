"""What people do in rooms. Every door (page, socket, API, command) calls these.

Refusals are PermissionDenied and ValidationError with a `code` of docs/wire.md.
"""

from asyncio import Future
from collections.abc import Collection
from datetime import datetime
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from messaging import events, node, queries, text
from messaging.models import Event as Log
from messaging.wire import Event, Person
from messaging.writer import Draft, Receipt, unavailable
from presence import services as presence
from rooms import services as rooms
from rooms.door import Door, Verdicts
from rooms.models import Membership, Room


def post(room_id: int, sender: Person, body: str, client_id: UUID | None = None) -> Future[Receipt]:
    """Say something, on the event loop. The future answers after COMMIT.

    Raises ValidationError (blank, too_long, bad_text, rate_limited; unavailable while the server
    stops) at once; the future raises PermissionDenied (no member) or ValidationError
    (room_closed, conflict, unavailable).
    """
    cleaned = text.clean(body)
    here = node.current()
    if here.draining:
        raise unavailable()
    if seconds := here.pace.wait((room_id, sender.id)):
        raise ValidationError(
            _("Too fast. Try again in a moment."),
            code="rate_limited",
            params={"retry_after": round(seconds, 3)},
        )
    return here.writer.put(Draft(room_id, sender, client_id or uuid4(), cleaned))


def join(room_id: int, user: User) -> None:
    """Take a seat. A member keeps the one they have; nobody waits at the door of a full room.

    Raises Room.DoesNotExist, ValidationError (room_full, room_closed).
    """
    room = Room.objects.get(pk=room_id)
    if Membership.objects.filter(room=room, user=user).exists():
        return
    if refusal := rooms.refusal(room):
        raise refusal
    if not connection.in_atomic_block:
        connection.close()  # back to the pool: a crowd that waits must not hold what seats it
    _door.enter(room_id, user.pk).result()


def _seat(room_id: int, user_ids: Collection[int]) -> Verdicts:
    with transaction.atomic():
        seated, refused = rooms.seat(room_id, user_ids)
        events.announce_on_commit(queries.append(room_id, Log.Kind.ENTER, seated))
    return dict.fromkeys(user_ids) | {user_id: rooms.full() for user_id in refused}


_door = Door(_seat)


def leave(room_id: int, user: User) -> bool:
    """Give the seat back; False if there was none. Raises ValidationError(owner_stays)."""
    return _unseat(room_id, user.pk, "left")


def remove(room_id: int, user_id: int, by: User) -> bool:
    """The owner shows a member out. Raises PermissionDenied."""
    rooms.check_owner(Room.objects.get(pk=room_id), by.pk)
    return _unseat(room_id, user_id, "removed")


def _unseat(room_id: int, user_id: int, how: str) -> bool:
    with transaction.atomic():
        had_seat = rooms.unseat(room_id, user_id)
        if had_seat:
            events.announce_on_commit(queries.append(room_id, Log.Kind.LEAVE, [user_id], how))
    if had_seat:
        presence.remove(room_id, user_id)
    return had_seat


def open_room(owner: User, *, title: str, description: str = "", capacity: int = 50) -> Room:
    """A new room, its owner in the first seat."""
    with transaction.atomic():
        room = rooms.create(
            owner_id=owner.pk, title=title, description=description, capacity=capacity
        )
        events.announce_on_commit(queries.append(room.pk, Log.Kind.ENTER, [owner.pk]))
    return room


def edit_room(room_id: int, user: User, *, title: str, description: str, capacity: int) -> Room:
    """Raises PermissionDenied, ValidationError (capacity_below_members and the fields' own)."""
    return rooms.edit(room_id, user.pk, title=title, description=description, capacity=capacity)


def close_room(room_id: int, user: User) -> bool:
    """No more joining and talking; members may still read. Raises PermissionDenied."""
    with transaction.atomic():
        was_open = rooms.close(room_id, user.pk)
        if was_open:
            events.announce_on_commit(queries.append(room_id, Log.Kind.CLOSE, [user.pk]))
    return was_open


def missed(
    room_id: int, user_id: int, *, after: int = 0, limit: int = queries.UNREAD_MAX
) -> tuple[datetime | None, list[Event]]:
    """Since when someone was away (None: unknown), and what others said since, oldest first."""
    exit = presence.last_exit(room_id, user_id)
    since = exit.at if exit else None
    return since, queries.missed(room_id, user_id, since=since, after=after, limit=limit)
