"""One step of a follower: the next lines of some rooms, their effect, and the positions after them.

All of it is one transaction, so a process that dies in the middle has done nothing.
"""

import logging
from collections.abc import Iterable
from typing import NamedTuple

from django.db import transaction

from messaging.followers import positions
from messaging.followers.follower import Follower
from messaging.followers.positions import Move

logger = logging.getLogger(__name__)


class TakenStep(NamedTuple):
    lines: int  # by which the positions moved
    more: set[int]  # rooms in which there is more


def begin(follower: Follower) -> bool:
    """Make sure that it has begun; False if another process is at it."""
    with transaction.atomic():
        if not positions.alone(follower.name):
            return False
        if positions.begin(follower):
            logger.info("the follower %s begins", follower.name)
        return True


def take(follower: Follower, room_ids: Iterable[int]) -> TakenStep | None:
    """A step in these rooms; None if another process takes one for this follower. Raises Overtaken,
    and what the follower raises."""
    with transaction.atomic():
        if not positions.alone(follower.name):
            return None
        positions.unhurried()
        olds = positions.read(follower.name, room_ids)
        found = follower.follow(olds)
        moves = {room: Move(olds[room], found[room].until) for room in found}
        moves = {room: move for room, move in moves.items() if move.seq > move.old}
        if moves:
            positions.advance(follower.name, moves)
        if holes := {room: hole for room in moves if (hole := found[room].hole(olds[room]))}:
            _tell(follower.name, holes)
    return TakenStep(
        sum(move.seq - move.old for move in moves.values()),
        {room for room, move in moves.items() if move.seq < found[room].head},
    )


def _tell(name: str, holes: dict[int, int]) -> None:
    positions.count_missed(name, sum(holes.values()))
    for room, many in holes.items():
        logger.warning("the follower %s goes on after %s pruned lines of room %s", name, many, room)
