"""What the parts of presence share in one process: its stores, its people, the rooms it shows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from django.conf import settings
from redis.exceptions import RedisError

from core.breaker import Breaker
from presence.leases import Leases, StoreDown
from presence.local import LocalPeople
from presence.room_state import PresenceRoom
from presence.timings import Timings
from presence.write_behind import WriteBehind

Answer = TypeVar("Answer")


class PresenceState:
    """Belongs to one event loop. `mongodb_turned`: called when MongoDB goes away or comes back."""

    def __init__(self, process: str, timings: Timings, mongodb_turned: Callable[[], None]) -> None:
        self.process = process
        self.timings = timings
        self.leases = Leases(settings.REDIS_URL, process, timings.lease)
        self.write_behind = WriteBehind(process, mongodb_turned)
        self.local = LocalPeople(timings.grace)
        self.rooms: dict[int, PresenceRoom] = {}
        self.unshown: set[int] = set()  # rooms with something that their sockets were not told
        self.to_show = asyncio.Event()
        self.recovered = asyncio.Event()  # both stores answer again
        self.redis = Breaker("Redis is down", "Redis answers again", turned=self.turned)
        self.is_stopped = False
        self.tasks: set[asyncio.Task[None]] = set()

    @property
    def degraded(self) -> bool:
        return self.redis.is_down or self.write_behind.mongodb.is_down

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def touch(self, room: PresenceRoom) -> None:
        self.unshown.add(room.id)
        self.to_show.set()

    def turned(self) -> None:
        """A store went away, or came back."""
        for room in self.rooms.values():
            self.touch(room)
        if not self.degraded:
            self.recovered.set()

    async def reach(self, call: Awaitable[Answer]) -> Answer:
        """An answer of Redis. Whether it came is what `degraded` goes by. Raises StoreDown."""
        try:
            answer = await call
        except (RedisError, OSError) as error:
            self.redis.failed(error)
            raise StoreDown(str(error)) from error
        self.redis.answered()
        return answer
