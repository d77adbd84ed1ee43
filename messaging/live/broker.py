"""The channel layer's one home: a hint to the other processes, never the truth.

One group member per room and process. What is told may be lost, late or repeated; the hub sees
that by `seq` and asks the database. So nothing here is waited for by a sender, and while the
layer is down what would be told is dropped; nobody who comes waits for it, and one task of ours
goes on asking.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import cache
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connections
from redis.exceptions import RedisError

from core import redis
from core.breaker import AskingByTask
from core.tasks import end

logger = logging.getLogger(__name__)

TELL_SECONDS = 2.0  # a layer that takes longer counts as down
JOIN_SECONDS = 0.5  # that somebody who comes waits, to hear of the room from the first moment on
BREAK_SECONDS = 1.0  # between two questions while it is down
BACKLOG_MAX = 2_000  # messages
FAILURES = (RedisError, OSError, TimeoutError)
NOBODY = 0  # no room: who asks whether the layer is there tells nobody
PEOPLE = -1  # no room: what is of a person goes to all processes


Place = int | str  # a room, or a process: what is for it alone


def group(room_id: Place) -> str:
    """One site's alone, though another may share its Redis: both have a room 1."""
    return f"{_mark(settings.REDIS_URL, connections.settings['default']['NAME'])}.room.{room_id}"


_mark = cache(redis.mark)


def message(room_id: Place, by: str, content: dict[str, Any]) -> dict[str, Any]:
    """What goes over the layer: with its `type`, the room, and the process that tells it."""
    return content | {"room": room_id, "by": by}


class Broker:
    """This process's side of the layer. `heard(room_id, message)` gets what others told; `deaf`
    is called when it heard nothing of some rooms for a while, and hears of them now."""

    def __init__(
        self,
        process: str,
        heard: Callable[[Any, dict[str, Any]], None],
        deaf: Callable[[], None] = lambda: None,
    ) -> None:
        self._process = process
        self._heard, self._deaf = heard, deaf
        self._layer = get_channel_layer()
        self._layer.heard_again = deaf  # in a cluster one node may be away, and the others there
        self._channel: str | None = None
        self._wanted: set[Place] = set()
        self._joined: set[Place] = set()
        self._backlog: deque[tuple[Place, dict[str, Any]]] = deque(maxlen=BACKLOG_MAX)
        self._teller: asyncio.Task[None] | None = None
        self._listener: asyncio.Task[None] | None = None
        self.breaker = self._new_breaker()
        self._was_deaf = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._changing = asyncio.Lock()

    async def join(self, room_id: Place) -> None:
        """Hear what is told of the room; if the layer is slow or down, as soon as it is not."""
        self._wanted.add(room_id)
        if not self.breaker.is_down:
            await asyncio.wait([self._start(self.catch_up())], timeout=JOIN_SECONDS)
        self._was_deaf |= room_id not in self._joined

    def drop(self, room_id: Place) -> None:
        """Hear no more of it: from the next `catch_up` on."""
        self._wanted.discard(room_id)

    async def catch_up(self) -> None:
        """Make the groups what they should be; called again until it succeeds."""
        # One at a time: a room that is joined again while it is being dropped would stay out.
        async with self._changing:
            if self.breaker.is_down:
                return
            try:
                await self._change_groups()
            except FAILURES as error:
                self.breaker.failed(error)
        if self._was_deaf and self._wanted <= self._joined:
            self._was_deaf = False
            self._deaf()

    async def _change_groups(self) -> None:
        async with asyncio.timeout(TELL_SECONDS):
            await self._change_each()

    async def _change_each(self) -> None:
        await self._listen()
        for room_id in self._wanted - self._joined:
            await self._layer.group_add(group(room_id), self._channel)
            self._joined.add(room_id)
        for room_id in self._joined - self._wanted:
            await self._layer.group_discard(group(room_id), self._channel)
            self._joined.discard(room_id)

    def publish(self, room_id: Place, content: dict[str, Any]) -> None:
        """Hand it to the other processes that hold the room, soon and at best."""
        if self.breaker.is_down:
            return
        self._backlog.append((room_id, content))
        if self._teller is None:
            self._teller = asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        try:
            while self._backlog:  # what gathers meanwhile goes together
                told = [
                    (group(room_id), message(room_id, self._process, content))
                    for room_id, content in self._backlog
                ]
                self._backlog.clear()
                await self._send(told)
        except FAILURES as error:
            self._backlog.clear()
            self.breaker.failed(error)
        finally:
            self._teller = None

    async def _send(self, told: list[tuple[str, dict[str, Any]]]) -> None:
        async with asyncio.timeout(TELL_SECONDS):
            await self._layer.group_send_many(told)

    async def _listen(self) -> None:
        if self._listener is None:
            self._channel = await self._layer.new_channel()
            self._listener = asyncio.get_running_loop().create_task(self._hear())

    async def _hear(self) -> None:
        while True:
            told = await self._layer.receive(self._channel)
            try:
                if told["by"] != self._process:
                    self._heard(told["room"], told)
            except Exception:  # one bad message must not make the process deaf
                logger.exception("a message on the channel layer was not understood")

    def _new_breaker(self) -> AskingByTask:
        return AskingByTask(
            "the channel layer is down",
            "the channel layer is back",
            knock=self._knock,
            failures=FAILURES,
            every=BREAK_SECONDS,
            start=self._start,
            turned=self._layer_turned,
        )

    async def _knock(self) -> None:
        asked = message(NOBODY, self._process, {"type": "asked"})
        await self._send([(group(NOBODY), asked)])

    def _layer_turned(self) -> None:
        if self.breaker.is_down:
            self._was_deaf = True
        else:
            self._start(self.catch_up())

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        await end(*filter(None, (self._teller, self._listener)), *self._tasks)
        with suppress(*FAILURES):
            async with asyncio.timeout(TELL_SECONDS):
                await self._layer.flush()
