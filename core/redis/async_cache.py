"""What one of Django's caches keeps, for an event loop: many keys by one question, no thread.

It only reads; who writes does it by the cache itself.
"""

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.core.cache import caches
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import RedisError, TimeoutError

from core.redis.clients import async_client

SECONDS = 0.5  # for an answer, as threads have it
FAILURES = (RedisError, OSError)


class AsyncCache:
    """Belongs to one event loop. Whether Redis is left alone is what threads know as well."""

    def __init__(self, name: str) -> None:
        keeper: Any = caches.create_connection(name)
        self._keeper = keeper.client  # of django-redis; here it names and decodes, and asks nothing
        self._redis = async_client(
            settings.REDIS_URL,
            socket_connect_timeout=SECONDS,
            socket_timeout=SECONDS,
            retry=settings.REDIS_ENDED,
        )

    async def get_many(self, keys: Collection[str]) -> dict[str, Any]:
        """Those that are kept. Raises FAILURES."""
        if not keys:
            return {}
        breaker = settings.REDIS_BREAKER.answers
        if not breaker.may_try():
            raise NoConnection("Redis is left alone for a while")
        try:
            values = await self._redis.mget([str(self._keeper.make_key(key)) for key in keys])
        except (NoConnection, TimeoutError, OSError) as error:
            breaker.failed(error)
            raise
        breaker.answered()
        found = zip(keys, values, strict=True)
        return {key: self._keeper.decode(value) for key, value in found if value is not None}

    async def close(self) -> None:
        await self._redis.aclose()
