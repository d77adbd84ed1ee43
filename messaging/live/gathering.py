"""What is heard of a room goes on together: the busier the loop, the more of it in one write.

A room of which nothing came lately waits for nothing but the end of the turn. Of one that was just
handed on, what comes waits for the next tick. Ticks are as far apart as the loop is late, within
bounds: who has time to spare writes at once.
"""

import asyncio
from collections.abc import Callable

from messaging.live.entries import EntryBatch
from messaging.live.lateness import Lateness

TICK_SECONDS = 0.002, 0.04  # at least and at most
LAGS = 2.0  # so many times the loop's lag


class Gathering:
    """`hand_on` gets what has gathered of a room."""

    def __init__(self, hand_on: Callable[[int, list[EntryBatch]], None]) -> None:
        self._hand_on = hand_on
        self.lag = Lateness()
        self._waiting: dict[int, list[EntryBatch]] = {}
        self._soon: list[int] = []  # these wait for the end of the turn only
        self._lately: set[int] = set()  # handed on since the last tick
        self._tick: asyncio.TimerHandle | None = None

    def put(self, room_id: int, lines: EntryBatch) -> None:
        if waiting := self._waiting.get(room_id):
            waiting.append(lines)
            return
        self._waiting[room_id] = [lines]
        if room_id not in self._lately:
            loop = asyncio.get_running_loop()
            if not self._soon:
                loop.call_soon(self._turn_ends, loop.time())
            self._soon.append(room_id)

    def _turn_ends(self, began: float) -> None:
        self.lag.measured(asyncio.get_running_loop().time() - began)
        rooms, self._soon = self._soon, []
        self._lately.update(rooms)
        self._flush(rooms)
        if self._tick is None:
            self._next_tick()

    def _next_tick(self) -> None:
        loop = asyncio.get_running_loop()
        least, most = TICK_SECONDS
        due = loop.time() + min(max(LAGS * self.lag.seconds, least), most)
        self._tick = loop.call_at(due, self._ticked, due)

    def _ticked(self, due: float) -> None:
        self.lag.measured(asyncio.get_running_loop().time() - due)
        rooms = [room_id for room_id in self._waiting if room_id in self._lately]
        self._lately = set(rooms)
        self._flush(rooms)
        if rooms:
            self._next_tick()
        else:
            self._tick = None

    def _flush(self, rooms: list[int]) -> None:
        for room_id in rooms:
            self._hand_on(room_id, self._waiting.pop(room_id))

    def close(self) -> None:
        if self._tick is not None:
            self._tick.cancel()
