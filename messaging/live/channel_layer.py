"""The pub/sub channel layer of channels_redis, with what this site needs of it besides.

Many messages are told in one round trip; each answers how many others hear it. Who joins groups is
told when Redis has taken that. What is heard goes straight to who asked for it: no queue, no task
for each message. (The queue-based layer of channels_redis drops silently at 100 waiting messages.)
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

from channels_redis.pubsub import RedisPubSubChannelLayer, RedisSingleShardConnection
from redis.exceptions import RedisError

FAILURES = (RedisError, OSError, RuntimeError)  # the last by uvloop, as core/redis/breaker.py says
RETRY_SECONDS = 0.25  # between two tries to hear again

logger = logging.getLogger(__name__)

Told = tuple[str, bytes]  # where to, and what


class Ear(NamedTuple):
    """Stands where channels_redis has the queue of a channel."""

    put_nowait: Callable[[bytes], None]


class PubSubLayer(RedisPubSubChannelLayer):
    """`heard_again` is called when it hears of channels that it did not hear of for a while."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.heard_again: Callable[[], None] = lambda: None

    def _get_layer(self) -> Any:
        layer = super()._get_layer()
        if isinstance(layer._shards[0], RedisSingleShardConnection) and not isinstance(
            layer._shards[0], Shard
        ):
            layer._shards = self._shards(layer)
        return layer

    def _shards(self, groups: Any) -> list[Any]:
        again = lambda: self.heard_again()  # noqa: E731  (it may be set later)
        return [Shard(each.host, groups, again) for each in groups._shards]

    def hear(self, take: Callable[[bytes], None]) -> str:
        """A channel of this process; what comes for it goes to `take` at once, as it is."""
        layer = self._get_layer()
        channel = f"{layer.prefix}direct.{uuid4().hex}"
        layer.channels[channel] = Ear(take)
        return channel

    async def join_groups(self, groups: Iterable[str], channel: str) -> None:
        """From here on what is told to these groups is heard."""
        layer = self._get_layer()
        shares: dict[Any, list[str]] = {}
        for group in groups:
            name = layer._get_group_channel_name(group)
            layer.groups.setdefault(name, set()).add(channel)
            shares.setdefault(layer._get_shard(name), []).append(name)
        for shard, names in shares.items():
            await shard.subscribe_many(names)

    async def publish_many(self, messages: Sequence[Told], by: str | None = None) -> list[int]:
        """Each message to its group, in this order; how many hear each, besides the channel `by`:
        each other process counts one."""
        layer = self._get_layer()
        names = [layer._get_group_channel_name(group) for group, _ in messages]
        hear = [len(layer.groups.get(name, set()) - {by}) for name in names]
        shares: dict[Any, list[int]] = {}
        for n, name in enumerate(names):
            shares.setdefault(layer._get_shard(name), []).append(n)
        for shard, share in shares.items():
            counts = await shard.publish_many([(names[n], messages[n][1]) for n in share])
            for n, count in zip(share, counts, strict=True):
                hear[n] += count
        return hear


class Shard(RedisSingleShardConnection):
    """A server of channels_redis."""

    def __init__(self, host: Any, groups: Any, heard_again: Callable[[], None]) -> None:
        super().__init__(host, groups)
        self._heard_again = heard_again
        self._confirmed: set[str] = set()  # what Redis says that we hear
        self._unheard: set[str] = set()  # what we heard until the connection ended
        self._said = asyncio.Event()  # it has confirmed something

    # --- to tell --------------------------------------------------------------------------------

    async def publish_many(self, told: Sequence[Told]) -> list[int]:
        """How many other connections hear each."""
        async with self._lock:
            self._ensure_redis()
            pipeline = self._redis.pipeline(transaction=False)
            for channel, message in told:
                pipeline.publish(channel, message)
            ours = {channel for channel, _ in told if self._hears(channel)}
            counts = await pipeline.execute()
        return [
            max(0, count - (channel in ours and self._hears(channel)))
            for (channel, _), count in zip(told, counts, strict=True)
        ]

    def _hears(self, channel: str) -> bool:
        """Whether we are among those whom the server counts that we publish on."""
        master = getattr(self._redis.connection_pool, "master_address", None)
        if master is not None:  # Sentinel's: we may still listen to the one before
            listening = self._pubsub.connection
            if listening is None or master != (listening.host, listening.port):
                return False
        return channel in self._confirmed

    # --- to hear --------------------------------------------------------------------------------

    async def subscribe(self, channel: str) -> None:
        await self.subscribe_many([channel])

    async def subscribe_many(self, channels: Iterable[str]) -> None:
        """Returns when the server has taken it."""
        wanted = set(channels)
        async with self._lock:
            if new := wanted - self._subscribed_to:
                self._ensure_redis()
                await self._pubsub.subscribe(*new)
                self._subscribed_to |= new
                self._ensure_receiver()
        while missing := (wanted & self._subscribed_to) - self._confirmed:
            logger.debug("%s channels are not confirmed yet", len(missing))
            self._said.clear()
            await self._said.wait()

    async def unsubscribe(self, channel: str) -> None:
        self._confirmed.discard(channel)
        await super().unsubscribe(channel)

    async def flush(self) -> None:
        await super().flush()
        self._confirmed.clear()
        self._unheard.clear()
        self._said.set()

    async def _do_receiving(self) -> None:
        while True:
            try:
                await self._receive()
            except FAILURES as error:
                logger.debug("nothing is heard for a while: %s", error)
            except Exception:  # or this process would stay deaf
                logger.exception("what was heard could not be taken")
            self._unheard |= self._confirmed
            self._confirmed.clear()
            await self._pubsub.connection.disconnect()
            await asyncio.sleep(RETRY_SECONDS)

    async def _receive(self) -> None:
        connection = self._pubsub.connection
        if not connection.is_connected:
            await connection.connect()  # redis-py subscribes anew to all
        while True:
            said = await connection.read_response(disconnect_on_error=False, push_request=True)
            if said[0] == b"message":
                self._take(said[1].decode(), said[2])
            else:
                await self._pubsub.handle_message(said)  # it keeps its own account
                if said[0] == b"subscribe":
                    self._confirm(said[1].decode())

    def _confirm(self, channel: str) -> None:
        if channel in self._subscribed_to:
            self._confirmed.add(channel)
        self._said.set()
        if self._unheard:
            self._unheard -= self._confirmed
            self._unheard &= self._subscribed_to
            if not self._unheard:
                self._heard_again()

    def _take(self, channel: str, message: bytes) -> None:
        """To all of this process that are in the group."""
        layer = self.channel_layer
        for name in layer.groups.get(channel, (channel,)):
            if name in layer.channels:
                layer.channels[name].put_nowait(message)
