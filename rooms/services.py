"""Rooms and seats. A seat is a membership row and one of `personnel`, in one transaction.

Functions that say "inside a transaction" leave commit and announcement to messaging/services.py,
which writes the room's log in the same transaction.
"""

import unicodedata
from collections.abc import Collection
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.text import one_line
from rooms.models import Membership, Room


def full() -> ValidationError:
    return ValidationError(_("This room is full. Try again later."), code="room_full")


def closed() -> ValidationError:
    return ValidationError(_("This room is closed."), code="room_closed")


def create(*, owner_id: int, title: str, description: str = "", capacity: int = 50) -> Room:
    """A new room with its owner in the first seat; inside a transaction."""
    room = Room(owner_id=owner_id, title=title, description=description, capacity=capacity)
    _check(room)
    room.personnel = 1
    room.save()
    Membership.objects.create(room=room, user_id=owner_id, role=Membership.Role.OWNER)
    return room


def _check(room: Room) -> None:
    room.title = one_line(room.title)
    room.description = unicodedata.normalize("NFC", room.description).strip()
    room.full_clean(validate_constraints=False)


def locked(room_id: int) -> Room:
    """The room, its row locked; inside a transaction. Writers of one room come one by one."""
    return Room.objects.select_for_update(no_key=True).get(pk=room_id)


def refusal(room: Room) -> ValidationError | None:
    """Why nobody can take a seat now, as far as a look without a lock can tell."""
    if room.is_closed:
        return closed()
    return full() if room.is_full else None


def seat(room_id: int, user_ids: Collection[int]) -> tuple[list[int], list[int]]:
    """Seat as many as fit, in the order they came; inside a transaction.

    Returns (seated now, refused because the room is full); who had a seat before is in neither.
    Raises Room.DoesNotExist, ValidationError(room_closed).
    """
    room = locked(room_id)
    if room.is_closed:
        raise closed()
    members = Membership.objects.filter(room_id=room_id, user_id__in=user_ids)
    already = set(members.values_list("user_id", flat=True))
    newcomers = [user_id for user_id in user_ids if user_id not in already]
    free = room.capacity - room.personnel
    seated, refused = newcomers[:free], newcomers[free:]
    if seated and not Room.objects.take_seats(room_id, len(seated)):
        raise full()
    # Read up to here: who comes for the first time has missed nothing.
    Membership.objects.bulk_create(
        Membership(room_id=room_id, user_id=user_id, read_seq=room.last_seq) for user_id in seated
    )
    return seated, refused


def unseat(room_id: int, user_id: int) -> bool:
    """Give the seat back; inside a transaction. False if there was none, and nothing changed.

    Raises Room.DoesNotExist, ValidationError(owner_stays).
    """
    room = locked(room_id)
    if room.owner_id == user_id and not room.is_closed:
        raise ValidationError(
            _("The owner can't leave an open room. Close it first."), code="owner_stays"
        )
    gone, _rows = Membership.objects.filter(room_id=room_id, user_id=user_id).delete()
    if gone:
        Room.objects.give_back_seat(room_id)
    return bool(gone)


def check_owner(room: Room, user_id: int) -> None:
    if room.owner_id != user_id:
        raise PermissionDenied(_("Only the owner may do this."))


def edit(room_id: int, user_id: int, **changes: Any) -> Room:
    """Change title, description or capacity; capacity never below the members there are."""
    with transaction.atomic():
        room = locked(room_id)
        check_owner(room, user_id)
        for name in ("title", "description", "capacity"):
            setattr(room, name, changes.get(name, getattr(room, name)))
        _check(room)
        if room.capacity < room.personnel:
            text = _("There are already %(members)s members.") % {"members": room.personnel}
            raise ValidationError({"capacity": ValidationError(text, "capacity_below_members")})
        room.save(update_fields=["title", "description", "capacity"])
    return room


def close(room_id: int, user_id: int) -> bool:
    """No one enters or speaks any more; inside a transaction. False if it was closed before."""
    room = locked(room_id)
    check_owner(room, user_id)
    if room.is_closed:
        return False
    room.closed_at = Now()
    room.save(update_fields=["closed_at"])
    return True
