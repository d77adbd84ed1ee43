"""What is heard of a room in one turn of the loop goes on together; how late turns end is known."""

import asyncio
from collections.abc import Callable

from messaging.live.entries import EntryBatch
from messaging.live.lateness import Lateness


class Gathering:
    """`hand_on` gets what has gathered of a room."""

    def __init__(self, hand_on: Callable[[int, list[EntryBatch]], None]) -> None:
        self._hand_on = hand_on
        self.lag = Lateness()
        self._waiting: dict[int, list[EntryBatch]] = {}

    def put(self, room_id: int, lines: EntryBatch) -> None:
        if not self._waiting:
            loop = asyncio.get_running_loop()
            loop.call_soon(self._turn_ends, loop.time())
        if waiting := self._waiting.get(room_id):
            waiting.append(lines)
        else:
            self._waiting[room_id] = [lines]

    def _turn_ends(self, began: float) -> None:
        self.lag.measured(asyncio.get_running_loop().time() - began)
        rooms, self._waiting = self._waiting, {}
        for room_id, lines in rooms.items():
            self._hand_on(room_id, lines)
