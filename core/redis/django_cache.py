"""Clients of clusters and of Sentinels for django-redis, which makes one for each address."""

from functools import cache
from typing import Any

from django_redis.pool import ConnectionFactory

from core.redis.clients import client


class Factory(ConnectionFactory):
    def connect(self, url: str) -> Any:
        return _shared(url, tuple(self.pool_cls_kwargs.items()))

    def disconnect(self, connection: Any) -> None:
        connection.close()


@cache
def _shared(url: str, options: tuple[tuple[str, Any], ...]) -> Any:
    """Django makes a cache for each thread; they share the connections."""
    return client(url, **dict(options))
