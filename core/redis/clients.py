"""A client for an address. For a single server it is redis-py's own, as `from_url` makes it."""

from typing import Any

from redis import Redis, Sentinel
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.connection import Connection, SSLConnection
from redis.asyncio.retry import Retry as AsyncRetry
from redis.asyncio.sentinel import MasterNotFoundError as AsyncMasterNotFoundError
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError

from core.redis.address import Address, read
from core.redis.breaker import EndedConnections

PARTS = 64  # over which a cluster spreads what is used together; more than it has masters
SENTINEL_SECONDS = 0.5  # for the answer of one of them; there are others


def form(url: str) -> str:
    """`single`, `cluster` or `sentinel`; for who chooses a library."""
    address = read(url)
    return address.form if address else "single"


def is_cluster(url: str) -> bool:
    return form(url) == "cluster"


def parts(url: str) -> int:
    """Over how many hash tags to spread what is used together: one where all lies in one place."""
    return PARTS if is_cluster(url) else 1


def client(url: str, **options: Any) -> Redis:
    """For threads. `options`: as `Redis.from_url` takes them."""
    address = read(url)
    if address is None:
        return Redis.from_url(url, **options)
    if is_cluster(url):
        from core.redis.cluster import Cluster

        return Cluster(address.hosts, **address.options | options)  # type: ignore[return-value]
    return _sentinel(address).master_for(address.service, **address.options | options)


class _Sentinel(Sentinel):
    """Says in a few words that there is no master; redis-py shows all its insides."""

    def discover_master(self, service_name: str) -> Any:
        try:
            return super().discover_master(service_name)
        except MasterNotFoundError:
            raise _no_master(service_name) from None


def _no_master(service: str) -> MasterNotFoundError:
    return MasterNotFoundError(f"no Sentinel tells of a master of {service!r}")


def _sentinel(address: Address) -> Sentinel:
    asking = _asking(address, Retry(NoBackoff(), 0))
    return _Sentinel(address.hosts, sentinel_kwargs=asking)


def sentinels(address: Address) -> list[Redis]:
    """Clients of the Sentinels themselves."""
    return list(_sentinel(address).sentinels)


def async_client(url: str, **options: Any) -> AsyncRedis:
    """The same for the event loop."""
    address = read(url)
    if address is None:
        return AsyncRedis.from_url(url, **options)
    if is_cluster(url):
        from core.redis.async_cluster import AsyncCluster

        return AsyncCluster(address.hosts, **address.options | options)  # type: ignore[return-value]
    sentinel = _AsyncSentinel(
        address.hosts, sentinel_kwargs=_asking(address, AsyncRetry(NoBackoff(), 0))
    )
    return sentinel.master_for(address.service, **address.options | options)


class _AsyncSentinel(AsyncSentinel):
    """The same for the event loop. Asked seldom, and nobody closes it: it keeps no connection."""

    async def discover_master(self, service_name: str) -> Any:
        try:
            return await super().discover_master(service_name)
        except AsyncMasterNotFoundError:
            raise _no_master(service_name) from None
        finally:
            for sentinel in self.sentinels:
                await sentinel.aclose()


def _asking(address: Address, retry: Any) -> dict[str, Any]:
    """How the Sentinels themselves are asked: each once, for the next one knows as much."""
    limits = {"socket_timeout": SENTINEL_SECONDS, "socket_connect_timeout": SENTINEL_SECONDS}
    return address.sentinel_options | limits | {"retry": retry}


def async_connection(url: str, node: tuple[str, int], seconds: float) -> Connection:
    """To one node of a cluster; it waits so long until it stands, and then for ever."""
    address = read(url)
    options = dict(address.options) if address else {}
    kind = SSLConnection if options.pop("ssl", False) else Connection
    limits: dict[str, Any] = {"socket_connect_timeout": seconds, "retry": EndedConnections()}
    return kind(host=node[0], port=node[1], **options | limits)


async def disconnect(redis: AsyncRedis) -> None:
    """Its connections are closed; it may be used on, with new ones."""
    pool = getattr(redis, "connection_pool", None)
    await (pool.disconnect() if pool else redis.aclose())


def cache_options(url: str) -> dict[str, Any]:
    """More OPTIONS of a cache of django-redis."""
    return {"CONNECTION_FACTORY": "core.redis.django_cache.Factory"} if read(url) else {}


def layer_host(url: str, **options: Any) -> dict[str, Any]:
    """One of the `hosts` of the channel layer; `options`: of its connections."""
    address = read(url)
    if address is None or address.form == "cluster":
        return {"address": url} | options
    return (address.options | options) | {
        "sentinels": list(address.hosts),
        "master_name": address.service,
        "sentinel_kwargs": _asking(address, AsyncRetry(NoBackoff(), 0)),
    }
