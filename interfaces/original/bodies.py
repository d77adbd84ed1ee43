"""The objects that only the original's wire has, with its names of fields."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

from msgspec.json import encode

from accounts import stand_ins
from accounts.models import User
from interfaces.stomp import bodies

ENCODED_KEPT = 4_096  # rooms
NOBODY = User()  # no owner of any room

Row = tuple[int, str, int, str, int, int]  # as `info` takes it


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


def listed(to: User, rows: Iterable[Row]) -> bytes:
    """`info` of each, encoded. What a room is called by others is the same for all of them, and is
    kept as it was encoded until the room is another."""
    me = to.pk
    each = [_encoded(row) if row[2] != me else encode(info(to, *row)) for row in rows]
    return b"[" + b",".join(each) + b"]"


@lru_cache(ENCODED_KEPT)
def _encoded(row: Row) -> bytes:
    return encode(info(NOBODY, *row))


def told(chat_id: str, message: str, at: datetime) -> str:
    """What the system says in a room: its page can be told of a refusal in no other way."""
    return bodies.encoded(bodies.system(chat_id, message, at))
