"""Rooms and seats. A seat is a membership row and one of `personnel`, in one transaction.

Functions that say "inside a transaction" leave commit and announcement to messaging/services/,
which writes the room's log in the same transaction.
"""

from collections.abc import Collection
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.text import composed, one_line
from rooms.models import TITLE_MAX, Membership, Room

# Uses indexes: the primary key of rooms_room, membership_once.
_WITH_SEATED = """
SELECT closed_at, personnel, capacity, ARRAY(
    SELECT user_id FROM rooms_membership WHERE room_id = r.id AND user_id = ANY (%(users)s)
)
FROM rooms_room r WHERE id = %(room)s
"""
# A seat for each who has none, in the order they came, while there are free ones.
# Uses index: membership_once.
_TAKE = f"""
INSERT INTO rooms_membership (room_id, user_id, role, read_seq)
SELECT %(room)s, c.id, CASE c.id WHEN %(owner)s THEN '{Membership.Role.OWNER}'
                            ELSE '{Membership.Role.MEMBER}' END, %(head)s
FROM unnest(%(users)s::bigint[]) WITH ORDINALITY AS c (id, n)
WHERE NOT EXISTS (SELECT FROM rooms_membership WHERE room_id = %(room)s AND user_id = c.id)
ORDER BY c.n LIMIT %(free)s
RETURNING user_id
"""


def full() -> ValidationError:
    return ValidationError(_("This room is full. Try again later."), code="room_full")


def closed() -> ValidationError:
    return ValidationError(_("This room is closed."), code="room_closed")


def search_words(text: str) -> str:
    """What somebody looks for, as far as a title can hold it."""
    return " ".join(composed(text).replace("\0", "").split())[:TITLE_MAX]


class NotMember(PermissionDenied):
    """You have no seat there. The same for a room that is not there: who has no seat is not told.
    Every door calls it `not_member`."""

    def __init__(self) -> None:
        super().__init__(_("You are not a member of this room."))


def they_are_no_member() -> ValidationError:
    """Somebody else would have to have a seat."""
    return ValidationError(_("Only a member can become the owner."), code="not_member")


def known(room_id: int, user_id: int) -> Room:
    """A room with its owner, for its members and its owner.

    Raises NotMember.
    """
    room = Room.objects.known_to(user_id).select_related("owner").filter(pk=room_id).first()
    if room is None:
        raise NotMember
    return room


def seats_of(user_id: int, limit: int) -> list[Membership]:
    """The seats a person has, those of the liveliest rooms first."""
    seats = Membership.objects.filter(user_id=user_id).select_related("room__owner")
    return list(seats.order_by("-room__active_at", "-room_id")[:limit])


def create(*, owner_id: int, title: str, description: str = "", capacity: int = 50) -> Room:
    """A new room, all seats free."""
    room = Room(owner_id=owner_id, title=title, description=description, capacity=capacity)
    _check(room)
    room.save()
    return room


def _check(room: Room) -> None:
    found: dict[str, list[ValidationError]] = {}
    try:
        room.title = one_line(room.title)
    except ValidationError as error:
        found["title"] = error.error_list
    room.description = composed(room.description).strip()
    try:
        room.full_clean(exclude=set(found), validate_constraints=False)
    except ValidationError as error:
        found |= error.error_dict
    if found:
        raise ValidationError(found)


def with_seated(room_id: int, user_ids: Collection[int]) -> tuple[Room, set[int]]:
    """A room, as far as `refusal` asks, and who of them has a seat there. Raises Room.DoesNotExist.
    By one statement, written once: everybody who enters asks."""
    with connection.cursor() as cursor:
        cursor.execute(_WITH_SEATED, {"room": room_id, "users": list(user_ids)})
        found = cursor.fetchone()
    if found is None:
        raise Room.DoesNotExist
    closed_at, personnel, capacity, seated = found
    return Room(closed_at=closed_at, personnel=personnel, capacity=capacity), set(seated)


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
    taken = _take(room, user_ids)
    if taken and not Room.objects.take_seats(room_id, len(taken)):
        raise full()
    seated = [user_id for user_id in user_ids if user_id in taken]
    if len(seated) == len(user_ids):
        return seated, []
    members = Membership.objects.filter(room_id=room_id, user_id__in=user_ids)
    with_seat = set(members.values_list("user_id", flat=True))
    return seated, [user_id for user_id in user_ids if user_id not in with_seat]


def _take(room: Room, user_ids: Collection[int]) -> set[int]:
    """Those of them who have a seat now and had none; the room is locked."""
    params: dict[str, Any] = {
        "room": room.pk,
        "users": list(user_ids),
        "free": room.capacity - room.personnel,
        "owner": room.owner_id,
        "head": room.last_seq,  # read up to here: who comes for the first time has missed nothing
    }
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, params)
        return {user_id for (user_id,) in cursor.fetchall()}


def unseat(room_id: int, user_id: int) -> bool:
    """Give the seat back; inside a transaction. False if there was none, and nothing changed.

    An owner who leaves keeps the room: they may come back, change it and close it.
    Raises Room.DoesNotExist.
    """
    locked(room_id)
    gone, _rows = Membership.objects.filter(room_id=room_id, user_id=user_id).delete()
    if gone:
        Room.objects.give_back_seat(room_id)
    return bool(gone)


def may_manage(room: Room, by: User) -> bool:
    """Its owner may, and who moderates."""
    return by.is_active and (room.owner_id == by.pk or moderates(by))


def moderates(by: User) -> bool:
    """Staff whom the admin gave the right to change rooms."""
    return by.is_active and by.is_staff and by.has_perm("rooms.change_room")


def check_may_manage(room: Room, by: User) -> None:
    if not may_manage(room, by):
        raise PermissionDenied(_("Only the owner may do this."))


def edit(room_id: int, by: User, **changes: Any) -> Room:
    """Change title, description or capacity, never below the members there are; inside a
    transaction."""
    room = locked(room_id)
    check_may_manage(room, by)
    for name in ("title", "description", "capacity"):
        setattr(room, name, changes.get(name, getattr(room, name)))
    _check(room)
    if room.capacity < room.personnel:
        text = _("There are already %(members)s members.") % {"members": room.personnel}
        raise ValidationError({"capacity": ValidationError(text, "capacity_below_members")})
    room.save(update_fields=["title", "description", "capacity"])
    return room


def close(room_id: int, by: User) -> bool:
    """No one enters or speaks any more; inside a transaction. False if it was closed before."""
    room = locked(room_id)
    check_may_manage(room, by)
    if room.is_closed:
        return False
    room.closed_at = Now()
    room.save(update_fields=["closed_at"])
    return True


def reopen(room_id: int, by: User) -> bool:
    """Inside a transaction. False if it was open."""
    room = locked(room_id)
    check_may_manage(room, by)
    if not room.is_closed:
        return False
    room.closed_at = None
    room.save(update_fields=["closed_at"])
    return True


def transfer(room_id: int, to_user_id: int, by: User) -> bool:
    """Another member becomes the owner; inside a transaction. False if they were it before.

    Raises PermissionDenied, ValidationError(not_member).
    """
    room = locked(room_id)
    check_may_manage(room, by)
    if room.owner_id == to_user_id:
        return False
    seats = Membership.objects.filter(room_id=room_id)
    if not seats.filter(user_id=to_user_id).update(role=Membership.Role.OWNER):
        raise they_are_no_member()
    seats.filter(user_id=room.owner_id).update(role=Membership.Role.MEMBER)
    room.owner_id = to_user_id
    room.save(update_fields=["owner"])
    return True
