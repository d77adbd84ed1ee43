"""Seats: entering a room, leaving it, being shown out."""

import asyncio
from collections.abc import Collection, Sequence

from django.db import connection, transaction

from accounts import audit
from accounts.models import User
from core import rate_limits
from core.threads import aside
from messaging.live import announce
from messaging.log.kinds import Kind
from presence import services as presence
from rooms import services as rooms
from rooms.admission import AdmissionQueue, Outcomes
from rooms.models import Room


def join(room_id: int, user: User) -> bool:
    """Take a seat. False if they had one, and keep it; nobody waits at the door of a full room.

    Raises Room.DoesNotExist, ValidationError (room_full, room_closed, rate_limited).
    """
    if not connection.in_atomic_block:
        connection.close()  # back to the pool: a crowd that waits must not hold what seats it
    try:
        with aside():
            _look_queue.enter(room_id, user.pk).result()
    except _IsSeated:
        return False
    return True


async def ajoin(room_id: int, user: User) -> bool:
    """`join` on an event loop: who waits there needs no thread."""
    try:
        await asyncio.wrap_future(_look_queue.enter(room_id, user.pk))
    except _IsSeated:
        return False
    return True


class _IsSeated(Exception):
    """They have a seat."""


def _look(room_id: int, user_ids: Collection[int]) -> Outcomes:
    """Finds those who need not wait at the door: one look for all who ask at the same time."""
    room, seated = rooms.with_seated(room_id, user_ids)
    found: dict[int, Exception | None] = {user_id: _IsSeated() for user_id in seated}
    others = [user_id for user_id in user_ids if user_id not in seated]
    if (refusal := rooms.refusal(room)) is None:
        found |= _paced(others, room.capacity - room.personnel)
    # Who comes after as many as there are seats need not wait for them to be seated.
    refused = rooms.full if refusal is None or refusal.code == "room_full" else rooms.closed
    return found | {user_id: refused() for user_id in others if user_id not in found}


def _paced(user_ids: Sequence[int], free: int) -> dict[int, Exception | None]:
    """Those of them, the first to come first, for whom there may be a seat; and who is too fast."""
    found: dict[int, Exception | None] = {}
    left = list(user_ids)
    while left and free > 0:
        some, left = left[:free], left[free:]
        waits = rate_limits.seconds_for_all("join", [str(user_id) for user_id in some])
        for user_id, seconds in zip(some, waits, strict=True):
            found[user_id] = rate_limits.too_often(seconds) if seconds else None
            free -= not seconds
    return found


def _seat(room_id: int, user_ids: Collection[int]) -> Outcomes:
    with transaction.atomic():
        seated, refused = rooms.seat(room_id, user_ids)
        announce.append(room_id, Kind.ENTER, seated)
    return dict.fromkeys(user_ids) | {user_id: rooms.full() for user_id in refused}


_queue = AdmissionQueue(_seat)
_look_queue = AdmissionQueue(_look, has_lock=False, then=_queue)


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
