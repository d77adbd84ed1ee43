"""Redis, or Valkey, in its three forms: one server, a cluster, or servers that Sentinel watches.

Everybody gets a client here, by the address alone, and doesn't know which form it is.

address.py       what an address says
async_cache.py   what Django's caches keep, for the event loop
breaker.py       how long is waited for Redis
clients.py       a client for an address, and what libraries are told of one
cluster.py       how a client of a cluster is made to behave as one of a single server does
django_cache.py  the same client for Django's caches
checking.py      whether an address answers as what it says it is
"""

from core.redis.address import SCHEMES, mark
from core.redis.breaker import EndedConnections, RedisBreaker
from core.redis.clients import (
    async_client,
    async_connection,
    cache_options,
    client,
    disconnect,
    form,
    is_cluster,
    layer_host,
    parts,
)

__all__ = [
    "SCHEMES",
    "EndedConnections",
    "RedisBreaker",
    "async_client",
    "async_connection",
    "cache_options",
    "client",
    "disconnect",
    "form",
    "is_cluster",
    "layer_host",
    "mark",
    "parts",
]
