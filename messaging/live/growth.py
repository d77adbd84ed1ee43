"""Which logs have grown, for those who follow them: told to all processes, each GATHER_SECONDS at
most from each, whatever is said. As all that goes over the layer it is a hint."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.conf import settings

GATHER_SECONDS = 0.25
GATHER_FOR_RELAY_SECONDS = 0.03  # where there is a Kafka: its readers wait for it
ROOMS_MAX = 500  # of more it is only said that there are many


class Growth:
    """`tell` hands it to the other processes; `grown` gets what is told here and there: rooms, or
    none if they are too many to name."""

    def __init__(self, tell: Callable[[dict[str, Any]], None]) -> None:
        self._tell = tell
        self.grown: Callable[[Sequence[int]], None] = lambda rooms: None
        self._seconds = GATHER_FOR_RELAY_SECONDS if settings.KAFKA else GATHER_SECONDS
        self._rooms: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, room_id: int) -> None:
        self._rooms.add(room_id)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._send)

    def _send(self) -> None:
        rooms, self._rooms, self._timer = self._rooms, set(), None
        told = message(rooms)
        self._tell(told)
        self.grown(told["rooms"])

    def heard(self, told: dict[str, Any]) -> None:
        """What other processes tell."""
        self.grown(told["rooms"])

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def message(rooms: Iterable[int]) -> dict[str, Any]:
    """For the channel layer."""
    named = list(rooms)
    return {"type": "grew", "rooms": named if len(named) <= ROOMS_MAX else []}
