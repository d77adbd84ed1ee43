"""Who was here, for pages and APIs. While MongoDB is down nothing is known, and nothing fails."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from presence import documents
from presence.room import moment

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Exit:
    at: datetime
    seq: int  # the last one delivered; after a crash that of an earlier visit


@dataclass(frozen=True)
class State:
    online: bool
    exit_at: datetime | None


def last_exit(room_id: int, user_id: int) -> Exit | None:
    """When they last went away; None if never, or if it can't be known now."""
    for one in documents.find(room_id, [user_id]):
        if one.exit_at:
            return Exit(moment(one.exit_at), one.seq or 0)
    return None


def states(room_id: int, user_ids: Iterable[int]) -> dict[int, State]:
    """Of those who were ever in the room."""
    return {
        one.user: State(bool(one.online), moment(one.exit_at) if one.exit_at else None)
        for one in documents.find(room_id, user_ids)
    }


def states_in(pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], State]:
    """`states` for people in many rooms, as (room, person)."""
    return {
        (one.room, one.user): State(bool(one.online), moment(one.exit_at) if one.exit_at else None)
        for one in documents.find_pairs(pairs)
    }


def remove(room_id: int, user_id: int) -> None:
    """Forget a person who gave up their seat. `Here.left` does it too, and tries again."""
    try:
        documents.remove(room_id, user_id)
    except documents.FAILURES as error:
        logger.warning("%s in room %s was not forgotten: %s", user_id, room_id, error)
