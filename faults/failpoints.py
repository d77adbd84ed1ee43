"""Where a worker fails on demand: dead at the worst moment, or without one of its safeguards.

before_commit, after_commit, after_publish   killed there, at the message whose text says "die"
other_home                                    another process is the home of every busy room
no_gap_fill, no_seat_check                    what a proof of the harness takes away
"""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

from django.db.models import F

from faults import WORD
from messaging.live import feed, home, hub, writer
from rooms import models
from rooms import services as rooms

ENDLESS = 1_000_000  # seats


def install(name: str) -> None:
    INSTALL[name]()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _is_asked(batch: list[Any]) -> bool:
    return any(waiting.draft.body == WORD for waiting in batch)


def _before_commit() -> None:
    """The statement was run, its transaction is open."""
    commit = writer.Writer._commit

    async def dying(self: Any, batch: list[Any], statement: str) -> Any:
        if _is_asked(batch):
            connection = await writer.connect()
            await connection.execute("BEGIN")
            await connection.execute(
                statement, writer.log.post_params([waiting.draft for waiting in batch])
            )
            _die()
        return await commit(self, batch, statement)

    writer.Writer._commit = dying  # type: ignore[method-assign]


def _after_commit() -> None:
    """Nobody was told."""
    commit = writer.Writer._commit

    async def dying(self: Any, batch: list[Any], statement: str) -> Any:
        rows = await commit(self, batch, statement)
        if _is_asked(batch):
            _die()
        return rows

    writer.Writer._commit = dying  # type: ignore[method-assign]


def _after_publish() -> None:
    """All receivers were told, the sender was not."""
    answer = writer.Writer._answer

    def told_first(self: Any, stored: list[Any]) -> None:
        if not _is_asked([waiting for waiting, _ in stored]):
            answer(self, stored)
            return
        for waiting, _ in stored:
            waiting.answers.clear()
        answer(self, stored)  # without the answers, this tells
        asyncio.get_running_loop().create_task(_die_when_told(self))

    writer.Writer._answer = told_first  # type: ignore[method-assign]


async def _die_when_told(one: writer.Writer) -> None:
    broker = one._stored.__self__.broker  # type: ignore[attr-defined]
    await asyncio.sleep(0)
    while broker._teller is not None:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)  # what is on its way to our own sockets
    _die()


def _other_home() -> None:
    """Two that do this hand the same room to each other: both are its home."""

    def elsewhere(self: Any, busy: list[int], live: frozenset[str]) -> dict[int, str]:
        others = live - {self._process}
        return {room: home.home_of(room, others) for room in busy} if others else {}

    home.Homes._found = elsewhere  # type: ignore[method-assign]


def _no_gap_fill() -> None:
    """A hole is never filled: what comes is handed out, and the heads are not looked at."""

    def hand_out(self: feed.Feed) -> None:
        batches = [self._early.pop(seq) for seq in sorted(self._early) if seq > self.head]
        for lines in batches:
            self._hand_out(lines)

    async def look_at_nothing(self: hub.Hub) -> None:
        pass

    feed.Feed._hand_out_early = hand_out  # type: ignore[method-assign]
    hub.Hub.look_at_heads = look_at_nothing  # type: ignore[method-assign]


def _no_seat_check() -> None:
    """Everybody fits, as far as Python can tell; the scenario takes the constraint away."""
    locked = rooms.locked

    def endless(room_id: int) -> Any:
        room = locked(room_id)
        room.capacity = ENDLESS
        return room

    def take_all(self: Any, room_id: int, seats: int) -> bool:
        return bool(self.filter(pk=room_id).update(personnel=F("personnel") + seats))

    rooms.locked = endless
    models.Room.is_full = False  # type: ignore[assignment, method-assign]
    models.RoomQuerySet.take_seats = take_all  # type: ignore[method-assign]


INSTALL: dict[str, Callable[[], None]] = {
    "before_commit": _before_commit,
    "after_commit": _after_commit,
    "after_publish": _after_publish,
    "other_home": _other_home,
    "no_gap_fill": _no_gap_fill,
    "no_seat_check": _no_seat_check,
}
