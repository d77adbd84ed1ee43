"""One step of a follower: the next lines of some rooms, their effect, and the positions after them.

All of it is one transaction, so a process that dies in the middle has done nothing.
"""

import logging
from collections.abc import Iterable
from typing import NamedTuple

from django.db import transaction

from messaging import log
from messaging.followers import positions
from messaging.followers.follower import Follower
from messaging.followers.positions import Move

LINES_MAX = 200  # of one room in one step
BYTES_MAX = 64 * 1024  # of text of one room; the line that reaches it comes along

logger = logging.getLogger(__name__)


class TakenStep(NamedTuple):
    lines: int  # that were applied
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
        found = log.follow(olds, limit=LINES_MAX, most=BYTES_MAX)
        moves = {room: Move(olds[room], _end(page)) for room, page in found.items()}
        moves = {room: move for room, move in moves.items() if move.seq > move.old}
        lines = [line for page in found.values() for line in page.lines]
        if lines:
            follower.apply(lines)
        if moves:
            positions.advance(follower.name, moves)
        if holes := {room: hole for room in moves if (hole := _hole(olds[room], found[room]))}:
            _tell(follower.name, holes)
    return TakenStep(
        len(lines), {room for room, move in moves.items() if move.seq < found[room].head}
    )


def _end(page: log.NextLines) -> int:
    """If nothing is kept, all there was is over."""
    return page.lines[-1].seq if page.lines else page.head


def _hole(old: int, page: log.NextLines) -> int:
    """How many lines were pruned before this follower came to them."""
    return (page.lines[0].seq - 1 if page.lines else page.head) - old


def _tell(name: str, holes: dict[int, int]) -> None:
    positions.count_missed(name, sum(holes.values()))
    for room, many in holes.items():
        logger.warning("the follower %s goes on after %s pruned lines of room %s", name, many, room)
