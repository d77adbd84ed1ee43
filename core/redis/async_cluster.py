"""The same as cluster.py for the event loop."""

from collections.abc import Sequence
from typing import Any

from redis.asyncio.cluster import ClusterNode, ClusterPipeline, RedisCluster
from redis.asyncio.connection import Connection, SSLConnection
from redis.exceptions import ClusterDownError, RedisClusterException
from redis.exceptions import ConnectionError as NoConnection

from core.redis.breaker import ENDED
from core.redis.cluster import away


class _EndsPlainly(Connection):
    """One that has ended says so, as EndedConnections makes those of a single server do."""

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        try:
            await super().send_packed_command(command, check_health)
        except RuntimeError as error:
            if ENDED not in str(error):
                raise
            await self.disconnect(nowait=True)
            raise NoConnection(str(error)) from error


class _EndsPlainlyByTls(_EndsPlainly, SSLConnection):
    pass


class AsyncWholeScript:
    def __init__(self, redis: Any, lua: str) -> None:
        self._redis, self._lua = redis, lua

    async def __call__(
        self, keys: Sequence[Any] = (), args: Sequence[Any] = (), client: Any = None
    ) -> Any:
        asked = self._redis if client is None else client
        answer = asked.execute_command("EVAL", self._lua, len(keys), *keys, *args)
        return answer if isinstance(answer, ClusterPipeline) else await answer


class AsyncCluster(RedisCluster):
    def __init__(self, hosts: Sequence[tuple[str, int]], **options: Any) -> None:
        nodes = [ClusterNode(host, port) for host, port in hosts]
        super().__init__(startup_nodes=nodes, **options)
        plainly = _EndsPlainlyByTls if options.get("ssl") else _EndsPlainly
        self.connection_kwargs["connection_class"] = plainly
        for node in self.nodes_manager.startup_nodes.values():
            node.connection_class = plainly

    async def initialize(self) -> "RedisCluster":
        if self._initialize:
            try:
                await super().initialize()
            except RedisClusterException as error:
                raise away(error) from error
            self._use_known_nodes()
        return self

    def _use_known_nodes(self) -> None:
        """redis-py 7.4 makes new nodes for the slots each time, and closes only the old ones."""
        nodes = self.nodes_manager.nodes_cache
        for of_slot in {id(one): one for one in self.nodes_manager.slots_cache.values()}.values():
            of_slot[:] = [nodes.get(node.name, node) for node in of_slot]

    async def execute_command(self, *args: Any, **named: Any) -> Any:
        try:
            await self.initialize()  # before the node is chosen: redis-py would take any
            return await super().execute_command(*args, **named)
        except (RedisClusterException, ClusterDownError) as error:
            raise away(error) from error

    async def aclose(self) -> None:
        """Also after a failure, when redis-py has to look anew and takes itself for closed."""
        self._initialize = True
        await self.nodes_manager.aclose()
        await self.nodes_manager.aclose("startup_nodes")

    def pipeline(self, transaction: Any = None, shard_hint: Any = None) -> Any:
        return _Pipeline(self, transaction or None)  # type: ignore[abstract]

    async def mget(self, keys: Any, *args: Any) -> Any:
        return await self.mget_nonatomic(keys, *args)

    def register_script(self, script: Any) -> Any:
        return AsyncWholeScript(self, script)


class _Pipeline(ClusterPipeline):
    async def execute(self, *args: Any, **named: Any) -> list[Any]:
        try:
            return await super().execute(*args, **named)
        except (RedisClusterException, ClusterDownError) as error:
            raise away(error) from error
