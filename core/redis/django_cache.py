"""Django's caches on Redis, by django-redis: one of each, and for clusters and Sentinels too.

Django makes a cache for each context, which is one for each socket. Such a cache and its client
point at each other, so that only the garbage collector could take them away.
"""

from functools import cache
from typing import Any

from django_redis.cache import RedisCache
from django_redis.pool import ConnectionFactory

from core.redis.clients import client

_caches: dict[str, RedisCache] = {}


def shared(location: str | list[str], params: dict[str, Any]) -> RedisCache:
    """The BACKEND: the one of this process with these settings. It may be used by all threads: its
    client takes a connection for each command."""
    settings = f"{location} {params}"
    found = _caches.get(settings)
    return found or _caches.setdefault(settings, RedisCache(location, params))


class Factory(ConnectionFactory):
    def connect(self, url: str) -> Any:
        return _shared(url, tuple(self.pool_cls_kwargs.items()))

    def disconnect(self, connection: Any) -> None:
        connection.close()


@cache
def _shared(url: str, options: tuple[tuple[str, Any], ...]) -> Any:
    """Both caches are on the same server; they share the connections."""
    return client(url, **dict(options))
