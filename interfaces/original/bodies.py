"""The objects that only the original's wire has, with its names of fields."""

from datetime import datetime
from typing import Any

from accounts import stand_ins
from accounts.models import User
from interfaces.stomp import bodies

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


def told(chat_id: str, message: str, at: datetime) -> str:
    """What the system says in a room: its page can be told of a refusal in no other way."""
    return bodies.encoded(bodies.system(chat_id, message, at))
