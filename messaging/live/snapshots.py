"""The people of a room, for who has just come: made and framed once for all who come together."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from core.tasks import end
from messaging.live import frames
from messaging.live.packets import Packet, packet
from messaging.live.subscription import Subscription

Waiting = list[tuple[Subscription, Callable[[Packet], None]]]
Frame = dict[str, Any]


class Presences(Protocol):
    """presence/tracker.py."""

    def known(self, room_id: int) -> Frame | None: ...

    async def snapshot(self, room_id: int) -> Frame: ...


class Snapshots:
    """Belongs to one event loop. Who waits for one is tracked in the room already."""

    def __init__(self, people: Presences) -> None:
        self._people = people
        self._waiting: dict[int, Waiting] = {}
        self._loading: dict[int, asyncio.Task[None]] = {}
        self._is_due = False

    def expect(self) -> None:
        """Somebody comes in this turn. Said before anything is put for them, so that what is known
        already goes in one write with it."""
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._serve)

    def show(self, subscription: Subscription, put: Callable[[Packet], None]) -> None:
        """From then on it hears of each change."""
        self._waiting.setdefault(subscription.room_id, []).append((subscription, put))
        self.expect()

    def _serve(self) -> None:
        self._is_due = False
        for room_id in self._waiting.keys() - self._loading.keys():
            if (found := self._people.known(room_id)) is not None:
                self._hand_out(room_id, found)
            else:
                loading = self._load(room_id)
                self._loading[room_id] = asyncio.get_running_loop().create_task(loading)

    async def _load(self, room_id: int) -> None:
        try:
            self._hand_out(room_id, await self._people.snapshot(room_id))
        finally:
            del self._loading[room_id]
            self._waiting.pop(room_id, None)

    def _hand_out(self, room_id: int, found: Frame) -> None:
        frame = packet(frames.presence(found))
        for subscription, put in self._waiting.pop(room_id):
            if not subscription.stopped:
                put(frame)
                subscription.sees_presence = True

    async def close(self) -> None:
        await end(*self._loading.values())
