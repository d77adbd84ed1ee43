"""What people do in rooms. Every door (page, socket, API, command) calls these.

Refusals are PermissionDenied and ValidationError with a `code` of docs/wire.md.
"""

import asyncio
from asyncio import Future
from collections.abc import Callable, Collection, Coroutine
from typing import Any, TypeVar
from uuid import UUID, uuid4

from asgiref.sync import async_to_sync
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit, pace, refusals
from accounts.models import User
from messaging import events, node, queries, text
from messaging.drafts import Draft, Receipt, not_member
from messaging.models import Event as Log
from messaging.wire import Person
from presence import services as presence
from rooms import services as rooms
from rooms.door import Door, Verdicts
from rooms.models import Membership, Room

Answer = TypeVar("Answer")
TOO_FAST = _("Too fast. Try again in a moment.")


def post(room_id: int, sender: Person, body: str, client_id: UUID | None = None) -> Future[Receipt]:
    """Say something, on the event loop. The future answers after COMMIT.

    Raises ValidationError (blank, too_long, bad_text, rate_limited) at once; the future raises
    PermissionDenied (no member) or ValidationError (room_closed, conflict, unavailable).
    """
    cleaned = text.clean(body)
    here = node.current()
    if seconds := here.limits.wait(room_id, sender.id, cleaned):
        refusals.note("messages, too often", sender.id)
        raise ValidationError(
            TOO_FAST,
            code="rate_limited",
            params={"retry_after": round(seconds, 3)},
        )
    return here.writer.put(Draft(room_id, sender, client_id or uuid4(), cleaned))


def say(room_id: int, sender: Person, body: str, client_id: UUID | None = None) -> Receipt:
    """`post` for threads: waits for the commit. Raises what `post` and its future raise."""

    async def posted() -> Receipt:
        return await post(room_id, sender, body, client_id)

    return _on_the_loop(posted())


def _on_the_loop(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run it where this process's node lives, and wait for it in this thread."""
    serving = node.running()
    if serving is not None:
        return asyncio.run_coroutine_threadsafe(work, serving.loop).result()
    return async_to_sync(_alone)(work)  # no server in this process: a command, a shell


async def _alone(work: Coroutine[Any, Any, Answer]) -> Answer:
    try:
        return await work
    finally:
        await node.close()


def join(room_id: int, user: User) -> bool:
    """Take a seat. False if they had one, and keep it; nobody waits at the door of a full room.

    Raises Room.DoesNotExist, ValidationError (room_full, room_closed, rate_limited).
    """
    if not connection.in_atomic_block:
        connection.close()  # back to the pool: a crowd that waits must not hold what seats it
    try:
        _lookout.enter(room_id, user.pk).result()
    except _IsSeated:
        return False
    pace.spend("join", str(user.pk))
    _door.enter(room_id, user.pk).result()
    return True


class _IsSeated(Exception):
    """They have a seat."""


def _look(room_id: int, user_ids: Collection[int]) -> Verdicts:
    """Who need not wait at the door, one look for all who ask at the same time."""
    room = Room.objects.get(pk=room_id)
    seats = Membership.objects.filter(room_id=room_id, user_id__in=user_ids)
    seated = set(seats.values_list("user_id", flat=True))
    return {
        user_id: _IsSeated() if user_id in seated else rooms.refusal(room) for user_id in user_ids
    }


def _seat(room_id: int, user_ids: Collection[int]) -> Verdicts:
    with transaction.atomic():
        seated, refused = rooms.seat(room_id, user_ids)
        events.announce_on_commit(queries.append(room_id, Log.Kind.ENTER, seated))
    return dict.fromkeys(user_ids) | {user_id: rooms.full() for user_id in refused}


_lookout, _door = Door(_look, has_lock=False), Door(_seat)


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
            events.announce_on_commit(queries.append(room_id, Log.Kind.LEAVE, [user_id], how))
            transaction.on_commit(lambda: presence.remove(room_id, user_id), robust=True)
    return had_seat


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
    pace.spend("open_room", str(owner.pk))
    with transaction.atomic():
        room = rooms.create(
            owner_id=owner.pk, title=title, description=description, capacity=capacity
        )
        if seat_owner:
            rooms.seat(room.pk, [owner.pk])
            events.announce_on_commit(queries.append(room.pk, Log.Kind.ENTER, [owner.pk]))
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
            events.about_on_commit(room_id)
    return room


def close_room(room_id: int, by: User) -> bool:
    """No more joining and talking; members may still read. False if it was closed before.

    Raises PermissionDenied.
    """
    return _turn(room_id, by, rooms.close, Log.Kind.CLOSE, "closed")


def reopen_room(room_id: int, by: User) -> bool:
    """Joining and talking go on. False if it was open. Raises PermissionDenied."""
    return _turn(room_id, by, rooms.reopen, Log.Kind.OPEN, "reopened")


def _turn(
    room_id: int, by: User, turn: Callable[[int, User], bool], kind: Log.Kind, what: str
) -> bool:
    with transaction.atomic():
        was_turned = turn(room_id, by)
        if was_turned:
            events.announce_on_commit(queries.append(room_id, kind, [by.pk]))
            audit.record(by, Room.objects.get(pk=room_id), what)
    return was_turned


def transfer_room(room_id: int, to_user_id: int, by: User) -> bool:
    """Make another member the owner. Raises PermissionDenied, ValidationError(not_member)."""
    with transaction.atomic():
        was_other = rooms.transfer(room_id, to_user_id, by)
        if was_other:
            events.announce_on_commit(queries.append(room_id, Log.Kind.OWNER, [to_user_id]))
            told = f"made {audit.named(to_user_id)} the owner"
            audit.record(by, Room.objects.get(pk=room_id), told)
    return was_other


def standing(room_id: int, user_id: int) -> queries.Standing:
    """How a member stands in the room. Raises PermissionDenied (no member; no such room)."""
    if (found := queries.standing(room_id, user_id)) is None:
        raise not_member()
    return found


def participants(room_id: int) -> dict[str, Any]:
    """Who is here now, for threads: a full `presence` frame of docs/wire.md."""

    async def shown() -> dict[str, Any]:
        return await node.current().here.snapshot(room_id)

    return _on_the_loop(shown())


def export_log(room_id: int, by: User, shape: str) -> int:
    """Put on the trail that the room's log is taken out; says up to which line it goes.

    The lines are then `export.stream`'s. Raises Room.DoesNotExist, PermissionDenied.
    """
    room = Room.objects.get(pk=room_id)
    rooms.check_may_manage(room, by)
    audit.record(by, room, f"exported the log up to line {room.last_seq} as {shape}")
    return room.last_seq


def mark_read(room_id: int, user_id: int, seq: int) -> int:
    """Move the read position forward, never back or past the end; says where it is then.

    Raises PermissionDenied (no member).
    """
    position = queries.read(room_id, user_id, seq)
    if position is None:
        raise not_member()
    events.read_on_commit(user_id, room_id, position)
    return position
