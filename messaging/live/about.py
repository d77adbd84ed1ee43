"""What a room is (its title, its owner, whether it is closed): told to all who have it on a page,
once a change of it is committed.

Over the layer goes only that it changed; each process that holds the room reads what it is now. So
two changes in a row can't arrive the wrong way round, and the last look is after the last change.
"""

import asyncio

from core.postgresql.reads import Unavailable
from core.tasks import end
from messaging import log
from messaging.live.frames import AboutFrame
from messaging.live.hub import Hub
from messaging.live.packets import packet
from messaging.log.event import About, encode

AGAIN_SECONDS = 2.0  # while the database is away


class Abouts:
    """The rooms that this process holds: one look at a time for each; all that changes meanwhile is
    one more."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._looking: dict[int, asyncio.Task[None]] = {}
        self._changed: set[int] = set()  # since they were last looked at

    def change(self, room_id: int) -> None:
        """It was changed by this process, whose own sockets are told, and the other processes."""
        self._hub.broker.publish(room_id, MESSAGE)
        self.look(room_id)

    def look(self, room_id: int) -> None:
        """It was changed, by whichever process. Shown here once it was read."""
        if room_id not in self._hub.feeds:
            return
        self._changed.add(room_id)
        if room_id not in self._looking:
            loop = asyncio.get_running_loop()
            self._looking[room_id] = loop.create_task(self._look(room_id))

    async def _look(self, room_id: int) -> None:
        try:
            await self._look_until_it_stays(room_id)
        finally:  # at once: whoever tells of a change from here on begins another look
            del self._looking[room_id]

    async def _look_until_it_stays(self, room_id: int) -> None:
        while room_id in self._changed:
            self._changed.discard(room_id)
            try:
                rows = await self._hub.reads.rows(log.ABOUT, room=room_id)
            except Unavailable:
                self._changed.add(room_id)
                await asyncio.sleep(AGAIN_SECONDS)
            else:
                self._show(room_id, [About(*row) for row in rows])

    def _show(self, room_id: int, found: list[About]) -> None:
        for about in found:
            frame = packet(encode(AboutFrame(room=room_id, about=about)))
            sockets = [one.put for one in self._hub.subscriptions(room_id)]
            for put in (*sockets, *self._hub.watchers(room_id)):
                put(frame)

    async def close(self) -> None:
        await end(*self._looking.values())


MESSAGE = {"type": "about"}  # for the channel layer
