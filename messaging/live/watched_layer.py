"""The channel layer on a server that Sentinel watches.

Who only listens does not notice that its master stands still, or is cut off: the line stays open,
and nothing comes. So Sentinel is asked now and then, and a master that another one has replaced is
left; channels_redis connects and subscribes anew then, as after each lost connection.
"""

import asyncio
import logging
from typing import Any

from redis.exceptions import RedisError

from core.tasks import end
from messaging.live.channel_layer import PubSubLayer

LOOK_SECONDS = 1.0
FAILURES = (RedisError, OSError)

logger = logging.getLogger(__name__)


class WatchedLayer(PubSubLayer):
    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._watches: dict[Any, asyncio.Task[None]] = {}

    def _get_layer(self) -> Any:
        layer = super()._get_layer()
        if layer not in self._watches:
            watch = _watch(layer._shards[0])
            self._watches[layer] = asyncio.get_running_loop().create_task(watch)
        return layer

    async def flush(self) -> None:
        layer = self._get_layer()
        await end(self._watches.pop(layer))
        await layer.flush()


async def _watch(shard: Any) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        listening = shard._pubsub and shard._pubsub.connection
        if not listening or not listening.is_connected:
            continue
        try:
            master = await shard._redis.connection_pool.get_master_address()
        except FAILURES as error:  # the broker tells of an outage: it publishes all the time
            logger.debug("Sentinel does not tell who the master is: %s", error)
            continue
        if master != (listening.host, listening.port):
            await listening.disconnect(nowait=True)
