"""What is heard of one node of a cluster: a connection, subscribed to channels of its slots."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from redis.asyncio.connection import Connection
from redis.crc import key_slot
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import MovedError, RedisError

from core.tasks import end

FAILURES = (RedisError, OSError, RuntimeError)  # the last by uvloop, as core/redis/breaker.py says

OPEN_SECONDS = 1.0  # a node that says nothing when it is greeted waits no longer than that
SILENT_SECONDS = 1.5  # a node that was asked and says nothing for so long is left


def hash_slot(channel: str) -> int:
    return key_slot(channel.encode())


class ShardListener:
    """`told(channel, message)` gets what is heard; `changed` is called when it hears of less than
    it was asked for. After `is_over` it hears nothing any more."""

    def __init__(
        self,
        connection: Connection,
        told: Callable[[str, bytes], None],
        changed: Callable[[], None],
    ) -> None:
        self._connection, self._told, self._changed = connection, told, changed
        self.channels: set[str] = set()
        self.is_over = False
        self._asked_at = 0.0  # whether it is there; 0 once it said something
        self._opening = asyncio.Lock()
        self._reader: asyncio.Task[None] | None = None

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Raises FAILURES, and is over then."""
        try:
            await self._open()
            await self._say("SSUBSCRIBE", channels)
            self.channels |= set(channels)
        except FAILURES:
            self._end()
            raise

    async def _open(self) -> None:
        """Alone: redis-py connects when something is sent, and forgets the connection that another
        is just making. So nothing else is sent before, and who closes it waits."""
        async with self._opening:
            if self._reader is None and not self.is_over:
                async with asyncio.timeout(OPEN_SECONDS):  # redis-py bounds only TCP's part
                    await self._connection.connect()
                self._reader = asyncio.get_running_loop().create_task(self._read())
        if self.is_over:
            raise NoConnection("it was closed meanwhile")

    async def unsubscribe(self, channels: Iterable[str]) -> None:
        self.channels -= set(channels)
        await self._say("SUNSUBSCRIBE", channels)

    async def _say(self, command: str, channels: Iterable[str]) -> None:
        """One command for each: those of one command have to be of one slot."""
        commands = [(command, channel) for channel in channels]
        if commands and self._reader and not self.is_over:
            await self._send(self._connection.pack_commands(commands))

    async def _send(self, packed: list[bytes]) -> None:
        if not self._connection.is_connected:  # redis-py would make another, that nobody reads
            raise NoConnection("it has just ended")
        await self._connection.send_packed_command(packed, check_health=False)

    async def answers(self) -> bool:
        """Whether it said something within SILENT_SECONDS after it was asked to; it is asked to."""
        now = asyncio.get_running_loop().time()
        if self.is_over or self._reader is None:
            return not self.is_over  # it is just being opened
        if self._asked_at:
            return now < self._asked_at + SILENT_SECONDS
        self._asked_at = now
        await self._send(self._connection.pack_command("PING"))
        return True

    async def _read(self) -> None:
        try:
            while True:
                try:
                    self._take(await self._connection.read_response())
                except MovedError as error:
                    self._lost(one for one in self.channels if hash_slot(one) == error.slot_id)
        except FAILURES:
            self._end()

    def _take(self, said: Any) -> None:
        self._asked_at = 0.0
        match said:
            case [b"smessage", channel, message]:
                self._told(channel.decode(), message)
            case [b"sunsubscribe", bytes(channel), _] if channel.decode() in self.channels:
                self._lost([channel.decode()])  # its slot is another node's now

    def _lost(self, channels: Iterable[str]) -> None:
        lost = self.channels & set(channels)
        self.channels -= lost
        if lost:
            self._changed()

    def _end(self) -> None:
        self.is_over = True
        self._lost(self.channels)

    async def close(self) -> None:
        self.is_over = True
        self.channels.clear()
        async with self._opening:
            await self._connection.disconnect()  # before its reader is ended, which would not wait
        if self._reader:
            await end(self._reader)
