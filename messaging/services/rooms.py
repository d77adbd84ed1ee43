"""Opening a room, changing it, closing it, handing it over."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.models import User
from core import rate_limits
from messaging.live import announce
from messaging.log.kinds import Kind
from rooms import services as rooms
from rooms.models import Room


def open_room(
    owner: User,
    *,
    title: str,
    description: str = "",
    capacity: int = 50,
    seat_owner: bool = True,
) -> Room:
    """A new room, its owner in the first seat, unless they want to enter it later themselves.

    Raises ValidationError: rate_limited, and by field.
    """
    rate_limits.hit("open_room", str(owner.pk))
    with transaction.atomic():
        room = rooms.create(
            owner_id=owner.pk, title=title, description=description, capacity=capacity
        )
        if seat_owner:
            rooms.seat(room.pk, [owner.pk])
            announce.append(room.pk, Kind.ENTER, [owner.pk])
            room.personnel = 1
    return room


def edit_room(
    room_id: int, by: User, *, unless: Callable[[Room], object] | None = None, **changes: Any
) -> Room:
    """Change `title`, `description`, `capacity`, or some of them; not where the room is, as it
    stands then, `unless` says so.

    Raises PermissionDenied, ValidationError (changed_meanwhile, capacity_below_members and the
    fields' own).
    """
    with transaction.atomic():
        if unless is not None and unless(rooms.locked(room_id)):
            text = _("The room was changed meanwhile. Look at it again.")
            raise ValidationError(text, code="changed_meanwhile")
        room = rooms.edit(room_id, by, **changes)
        if changes:
            told = ", ".join(f"{name} to {value!r}" for name, value in changes.items())
            audit.record(by, room, f"changed {told}")
            announce.about_on_commit(room_id)
    return room


def close_room(room_id: int, by: User) -> bool:
    """No more joining and talking; members may still read. False if it was closed before.

    Raises PermissionDenied.
    """
    return _turn(room_id, by, rooms.close, Kind.CLOSE, "closed")


def reopen_room(room_id: int, by: User) -> bool:
    """Joining and talking go on. False if it was open. Raises PermissionDenied."""
    return _turn(room_id, by, rooms.reopen, Kind.OPEN, "reopened")


def _turn(room_id: int, by: User, turn: Callable[[int, User], bool], kind: Kind, what: str) -> bool:
    with transaction.atomic():
        was_turned = turn(room_id, by)
        if was_turned:
            announce.append(room_id, kind, [by.pk])
            audit.record(by, Room.objects.get(pk=room_id), what)
    return was_turned


def transfer_room(room_id: int, to_user_id: int, by: User) -> bool:
    """Make another member the owner. Raises PermissionDenied, ValidationError(not_member)."""
    with transaction.atomic():
        was_other = rooms.transfer(room_id, to_user_id, by)
        if was_other:
            announce.append(room_id, Kind.OWNER, [to_user_id])
            told = f"made {audit.named(to_user_id)} the owner"
            audit.record(by, Room.objects.get(pk=room_id), told)
    return was_other
