"""Presence for pages and APIs: now and last. While a store is down it is unknown; nothing fails."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from presence import counts, last_seen
from presence.counts import Online
from presence.room_state import moment

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
    for one in last_seen.find(room_id, [user_id]):
        if one.exit_at:
            return Exit(moment(one.exit_at), one.seq or 0)
    return None


def states(room_id: int, user_ids: Iterable[int]) -> dict[int, State]:
    """The state of each of them by their number; those who were never in the room have none."""
    return {
        one.user: State(bool(one.online), moment(one.exit_at) if one.exit_at else None)
        for one in last_seen.find(room_id, user_ids)
    }


def states_in(pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], State]:
    """`states` for people in many rooms, as (room, person)."""
    return {
        (one.room, one.user): State(bool(one.online), moment(one.exit_at) if one.exit_at else None)
        for one in last_seen.find_pairs(pairs)
    }


def remove(room_id: int, user_id: int) -> None:
    """Forget a person who gave up their seat. `Here.left` does it too, and tries again."""
    try:
        last_seen.remove(room_id, user_id)
    except last_seen.FAILURES as error:
        logger.warning("%s in room %s was not forgotten: %s", user_id, room_id, error)


def here(room_ids: Sequence[int]) -> dict[int, int] | None:
    """How many people are in each of these rooms now; None while Redis does not say."""
    try:
        return counts.here(room_ids)
    except counts.FAILURES as error:
        logger.info("who is here is not known: %s", error)
        return None


def online() -> Online | None:
    """How many people have a room open now; None while Redis does not say."""
    try:
        return counts.online()
    except counts.FAILURES as error:
        logger.info("who is online is not known: %s", error)
        return None
