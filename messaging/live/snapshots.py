"""The people of a room, for who has just come: made and framed once for all who come together."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from core.tasks import end
from messaging.live import frames
from messaging.live.packets import Packet, packet
from messaging.live.subscription import Subscription

Take = Callable[[int], Awaitable[dict[str, Any]]]  # presence.tracker has it
Waiting = list[tuple[Subscription, Callable[[Packet], None]]]


class Snapshots:
    """Belongs to one event loop. Who waits for one is tracked in the room already."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._waiting: dict[int, Waiting] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def show(self, subscription: Subscription, put: Callable[[Packet], None]) -> None:
        """From then on it hears of each change."""
        room_id = subscription.room_id
        if room_id not in self._waiting:
            self._waiting[room_id] = []
            task = asyncio.get_running_loop().create_task(self._show(room_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._waiting[room_id].append((subscription, put))

    async def _show(self, room_id: int) -> None:
        try:
            found = await self._take(room_id)
        finally:
            waiting = self._waiting.pop(room_id)
        frame = packet(frames.presence(found))
        for subscription, put in waiting:
            if not subscription.stopped:
                put(frame)
                subscription.sees_presence = True

    async def close(self) -> None:
        await end(*self._tasks)
