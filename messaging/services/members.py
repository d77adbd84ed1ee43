"""Seats: entering a room, leaving it, being shown out."""

from collections.abc import Collection

from django.db import connection, transaction

from accounts import audit
from accounts.models import User
from core import rate_limits
from messaging.live import announce
from messaging.log.kinds import Kind
from presence import services as presence
from rooms import services as rooms
from rooms.admission import AdmissionQueue, Outcomes
from rooms.models import Membership, Room


def join(room_id: int, user: User) -> bool:
    """Take a seat. False if they had one, and keep it; nobody waits at the door of a full room.

    Raises Room.DoesNotExist, ValidationError (room_full, room_closed, rate_limited).
    """
    if not connection.in_atomic_block:
        connection.close()  # back to the pool: a crowd that waits must not hold what seats it
    try:
        _look_queue.enter(room_id, user.pk).result()
    except _IsSeated:
        return False
    rate_limits.hit("join", str(user.pk))
    _queue.enter(room_id, user.pk).result()
    return True


class _IsSeated(Exception):
    """They have a seat."""


def _look(room_id: int, user_ids: Collection[int]) -> Outcomes:
    """Finds those who need not wait at the door: one look for all who ask at the same time."""
    room = Room.objects.get(pk=room_id)
    seats = Membership.objects.filter(room_id=room_id, user_id__in=user_ids)
    seated = set(seats.values_list("user_id", flat=True))
    return {
        user_id: _IsSeated() if user_id in seated else rooms.refusal(room) for user_id in user_ids
    }


def _seat(room_id: int, user_ids: Collection[int]) -> Outcomes:
    with transaction.atomic():
        seated, refused = rooms.seat(room_id, user_ids)
        announce.append(room_id, Kind.ENTER, seated)
    return dict.fromkeys(user_ids) | {user_id: rooms.full() for user_id in refused}


_look_queue, _queue = AdmissionQueue(_look, has_lock=False), AdmissionQueue(_seat)


def leave(room_id: int, user: User) -> bool:
    """Give the seat back; False if there was none. An owner who leaves still owns the room."""
    return _unseat(room_id, user.pk, "left")


def remove(room_id: int, user_id: int, by: User) -> bool:
    """Show a member out; False if they had no seat. Raises PermissionDenied."""
    room = Room.objects.get(pk=room_id)
    rooms.check_may_manage(room, by)
    with transaction.atomic():
        was_seated = _unseat(room_id, user_id, "removed")
        if was_seated:
            audit.record(by, room, f"removed {audit.named(user_id)}")
    return was_seated


def _unseat(room_id: int, user_id: int, how: str) -> bool:
    with transaction.atomic():
        had_seat = rooms.unseat(room_id, user_id)
        if had_seat:
            announce.append(room_id, Kind.LEAVE, [user_id], how)
            transaction.on_commit(lambda: presence.remove(room_id, user_id), robust=True)
    return had_seat
