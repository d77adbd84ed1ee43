"""What the lobby is told of a room: how much was said, at most once a second."""

import asyncio
from collections import Counter
from collections.abc import Callable

from messaging.live.entries import Entry, EntryBatch
from messaging.live.frames import ActivityFrame
from messaging.live.packets import Packet, packet
from messaging.log.event import encode
from messaging.log.kinds import GIVES_SEAT, TAKES_SEAT, UNREAD

TOGETHER_SECONDS = 1.0


class Activity:
    """Listens to a feed for all sockets of this process that watch the room."""

    def __init__(self, room_id: int, personnel: int) -> None:
        self.room_id = room_id
        self.personnel = personnel
        self.watchers: dict[Callable[[Packet], None], int] = {}  # where to, and whose it is
        self._after = self._head = 0  # the lines that are counted come after this one
        self._messages: Counter[int] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def take(self, lines: EntryBatch) -> None:
        if self._timer is None:
            self._after = lines.first - 1
        for line in lines.all:
            self._count(line)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(TOGETHER_SECONDS, self._tell)

    def _count(self, line: Entry) -> None:
        self._head = line.seq
        kind, user_id = line.event.kind, line.event.sender.id
        if kind in UNREAD:
            self._messages[user_id] += 1
        elif kind in GIVES_SEAT:
            self.personnel += 1
        elif kind in TAKES_SEAT:
            self.personnel -= 1
            self._forget(user_id)

    def _forget(self, user_id: int) -> None:
        """A member who gave up the seat is told no more."""
        self.watchers = {put: user for put, user in self.watchers.items() if user != user_id}

    def _tell(self) -> None:
        self._timer = None
        frame = ActivityFrame(
            room=self.room_id,
            after=self._after,
            head=self._head,
            personnel=self.personnel,
            messages=dict(self._messages),
        )
        self._messages.clear()
        encoded = packet(encode(frame))
        for put in tuple(self.watchers):
            put(encoded)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
