"""The channel layer in a cluster: sharded pub/sub, so that a message goes to the nodes of its slot
and not to all of them.

channels_redis does the groups and channels, as for a single server; only its connection is another
one. redis-py has no sharded pub/sub for the event loop, and that for threads does not renew what it
subscribed to when a slot moves. Here one task compares, again and again, what is heard of whom with
what should be: at once after a death or a move, and each LOOK_SECONDS.
"""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from core import redis
from core.tasks import end
from messaging.live.channel_layer import PubSubLayer, Told
from messaging.live.shard_listener import FAILURES, ShardListener, hash_slot

ANSWER_SECONDS = 0.5  # of a node; the others wait meanwhile
LOOK_SECONDS = 2.0  # between two looks at who has which slot, and for nodes that fell silent
RETRY_SECONDS = 0.25  # between two looks at least

Node = tuple[str, int]  # host, port

logger = logging.getLogger(__name__)


class ShardedLayer(PubSubLayer):
    def _shards(self, groups: Any) -> list[Any]:
        url = self._kwargs["hosts"][0]["address"]
        return [ClusterConnection(url, groups, lambda: self.heard_again())]


class ClusterConnection:
    """What channels_redis has one of for each server."""

    def __init__(self, url: str, groups: Any, heard_again: Callable[[], None]) -> None:
        self._url, self._heard_again = url, heard_again
        self._groups = groups  # of channels_redis: who is in which
        self._client: Any = None
        self._wanted: set[str] = set()
        self._owners: dict[int, Node] = {}  # slot → its master
        self._listeners: dict[Node, ShardListener] = {}
        self._stirred = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    # --- to tell --------------------------------------------------------------------------------

    async def publish_many(self, told: Sequence[Told]) -> list[int]:
        """About how many others hear each; never that nobody does. After a failover the node that
        was the master is told for a while: it passes that on, and counts its own listeners only."""
        pipe = self._cluster().pipeline()
        for channel, message in told:
            pipe.execute_command("SPUBLISH", channel, message)
        counts = await pipe.execute()
        ours = self._heard()
        return [
            max(1, count - (channel in ours))
            for (channel, _), count in zip(told, counts, strict=True)
        ]

    def _cluster(self) -> Any:
        if self._client is None:
            self._client = redis.async_client(
                self._url,
                socket_timeout=ANSWER_SECONDS,
                socket_connect_timeout=ANSWER_SECONDS,
                retry=redis.EndedConnections(again=1),
            )
        return self._client

    # --- to hear --------------------------------------------------------------------------------

    async def subscribe(self, channel: str) -> None:
        await self.subscribe_many([channel])

    async def subscribe_many(self, channels: Iterable[str]) -> None:
        """What is on a node that is away is heard later. Raises FAILURES without the cluster."""
        if not self._owners:
            await self._look()
        self._wanted |= set(channels)
        if self._keeper is None:
            self._keeper = asyncio.get_running_loop().create_task(self._keep())
        await self._hear_of(channels)

    async def unsubscribe(self, channel: str) -> None:
        self._wanted.discard(channel)
        listener = self._listeners.get(self._owners[hash_slot(channel)])
        if listener:
            await listener.unsubscribe([channel])

    async def flush(self) -> None:
        if self._keeper:
            await end(self._keeper)
        self._keeper = None
        self._wanted.clear()
        self._owners.clear()
        for node in list(self._listeners):
            await self._listeners.pop(node).close()
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    async def _keep(self) -> None:
        while True:
            is_well = False
            self._stirred.clear()
            try:
                await self._look()
                is_well = await self._agree()
            except FAILURES as error:
                logger.debug("the cluster does not tell who has what: %s", error)
            except Exception:  # or this process would stay deaf
                logger.exception("what is heard of the cluster could not be put right")
            await asyncio.sleep(RETRY_SECONDS)  # at least: nodes may disagree for a while
            if is_well:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._stirred.wait()

    async def _look(self) -> None:
        """Ask who has which slot: any node knows, and each time it is another one."""
        cluster = await self._cluster().initialize()
        asked = random.choice(cluster.get_nodes())
        found = await cluster.execute_command("CLUSTER SLOTS", target_nodes=asked)
        owners: dict[int, Node] = {}
        for (first, last), nodes in found.items():
            host, port = nodes["primary"][:2]
            owners |= dict.fromkeys(range(first, last + 1), (host or asked.host, port))
        self._owners = owners

    async def _agree(self) -> bool:
        """Nothing is heard but of whom it should be, and all that is wanted; whether it is."""
        for node, listener in list(self._listeners.items()):
            strange = {one for one in listener.channels if self._owners.get(hash_slot(one)) != node}
            await listener.unsubscribe(strange)
            if not await listener.answers():
                await self._listeners.pop(node).close()
        missing = self._wanted - self._heard()
        if missing and await self._hear_of(missing):
            self._heard_again()
        return self._wanted <= self._heard()

    def _heard(self) -> set[str]:
        return {channel for one in self._listeners.values() for channel in one.channels}

    async def _hear_of(self, channels: Iterable[str]) -> int:
        """Answers of how many it hears now."""
        shares: dict[Node, list[str]] = defaultdict(list)
        for channel in channels:
            if owner := self._owners.get(hash_slot(channel)):
                shares[owner].append(channel)
        return sum(await asyncio.gather(*(self._hear(*share) for share in shares.items())))

    async def _hear(self, node: Node, channels: list[str]) -> int:
        if node in self._listeners and self._listeners[node].is_over:
            await self._listeners.pop(node).close()
        if node not in self._listeners:
            connection = redis.async_connection(self._url, node, ANSWER_SECONDS)
            self._listeners[node] = ShardListener(connection, self._message, self._stirred.set)
        try:
            await self._listeners[node].subscribe(channels)
            return len(channels)
        except FAILURES:  # the keeper tries again, where the slot is by then
            return 0

    def _message(self, channel: str, message: bytes) -> None:
        """To all channels of this process that are in the group."""
        groups = self._groups
        for name in groups.groups.get(channel, (channel,)):
            if name in groups.channels:
                groups.channels[name].put_nowait(message)
