"""The objects of the original's wire, with its names of fields."""

from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts import stand_ins
from accounts.models import User
from messaging.log.event import Event

TYPES = {"message": "MESSAGE", "enter": "ENTER", "leave": "LEAVE"}  # what else it can't show


# Of a room, in the order that `info` takes them after its reader.
INFO_FIELDS = ("pk", "title", "owner_id", "owner__display_name", "personnel", "capacity")


def info(
    to: User, room_id: int, title: str, owner_id: int, owner: str, personnel: int, capacity: int
) -> dict[str, Any]:
    return {
        "chatId": str(room_id),
        "title": title,
        "openUsername": stand_ins.shown(owner_id, owner, to),
        "personnel": personnel,
        "maxPersonnel": capacity,
    }


def line(event: Event, username: str) -> dict[str, str]:
    """A line of the log whose kind is in TYPES. `createdAt` is RFC 3339 in UTC, to the µs."""
    return {
        "chatId": str(event.room),
        "type": TYPES[event.kind],
        "username": username,
        "message": _text(event),
        "createdAt": written(event.at),
    }


def written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _text(event: Event) -> str:
    """Its page shows nothing else of a line, so entering and leaving need a sentence."""
    name = event.sender.name
    if event.kind == "enter":
        return _("%(name)s has entered.") % {"name": name}
    if event.kind == "leave":
        return _("%(name)s has left.") % {"name": name}
    return event.body
