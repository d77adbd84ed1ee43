"""The channel layer's one home: a hint to the other processes, never the truth.

One group member per room and process. What is told may be lost, late or repeated; the hub sees
that by `seq` and asks the database. So nothing here is waited for by a sender, and while the
layer is down what would be told is dropped.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from presence.tasks import end

log = logging.getLogger(__name__)

TELL_SECONDS = 2.0  # a layer that takes longer counts as down
BREAK_SECONDS = 1.0  # how long it is left alone then
BACKLOG_MAX = 2_000  # messages
FAILURES = (RedisError, OSError, TimeoutError)


def group(room_id: int) -> str:
    return f"room.{room_id}"


def message(room_id: int, by: str, content: dict[str, Any]) -> dict[str, Any]:
    """What goes over the layer: with its `type`, the room, and the process that tells it."""
    return content | {"room": room_id, "by": by}


class Layer:
    """This process's side of the layer. `heard(room_id, message)` gets what others told."""

    def __init__(self, process: str, heard: Callable[[int, dict[str, Any]], None]) -> None:
        self._process = process
        self._heard = heard
        self._layer = get_channel_layer()
        self._channel: str | None = None
        self._wanted: set[int] = set()
        self._joined: set[int] = set()
        self._backlog: deque[tuple[int, dict[str, Any]]] = deque(maxlen=BACKLOG_MAX)
        self._teller: asyncio.Task[None] | None = None
        self._listener: asyncio.Task[None] | None = None
        self._down_until = 0.0
        self._changing = asyncio.Lock()

    async def join(self, room_id: int) -> None:
        """Hear what is told of the room; if the layer is down, as soon as it is back."""
        self._wanted.add(room_id)
        await self.catch_up()

    def drop(self, room_id: int) -> None:
        """Hear no more of it: from the next `catch_up` on."""
        self._wanted.discard(room_id)

    async def catch_up(self) -> None:
        """Make the groups what they should be; called again until it succeeds."""
        # One at a time: a room that is joined again while it is being dropped would stay out.
        async with self._changing:
            if self._is_down():
                return
            try:
                async with asyncio.timeout(TELL_SECONDS):
                    await self._change_groups()
            except FAILURES as error:
                self._failed(error)

    async def _change_groups(self) -> None:
        await self._listen()
        for room_id in self._wanted - self._joined:
            await self._layer.group_add(group(room_id), self._channel)
            self._joined.add(room_id)
        for room_id in self._joined - self._wanted:
            await self._layer.group_discard(group(room_id), self._channel)
            self._joined.discard(room_id)

    def tell(self, room_id: int, content: dict[str, Any]) -> None:
        """Hand it to the other processes that hold the room, soon and at best."""
        if self._is_down():
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
                async with asyncio.timeout(TELL_SECONDS):
                    await self._layer.group_send_many(told)
        except FAILURES as error:
            self._backlog.clear()
            self._failed(error)
        finally:
            self._teller = None

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
                log.exception("a message on the channel layer was not understood")

    def _is_down(self) -> bool:
        return asyncio.get_running_loop().time() < self._down_until

    def _failed(self, error: Exception) -> None:
        self._down_until = asyncio.get_running_loop().time() + BREAK_SECONDS
        log.warning("the channel layer failed: %s", error or type(error).__name__)

    async def close(self) -> None:
        await end(*filter(None, (self._teller, self._listener)))
        with suppress(*FAILURES):
            async with asyncio.timeout(TELL_SECONDS):
                await self._layer.flush()
