"""Which process runs a follower: the one that holds its lease in Redis, and renews it.

It keeps the others from looking and asking in vain. What is right does not hang on it: positions
move by a condition, and only one process at a time takes a step (positions.py). So while Redis does
not answer, each process takes itself for the one, and PostgreSQL lets one of them work, now this
and now that one. That wastes a few questions; a second kind of lease would be one more thing that
may be lost, to spare them.
"""

import logging
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import connection
from redis import Redis
from redis.exceptions import RedisError

from core import redis
from core.breaker import Breaker

LEASE_SECONDS = 2.5  # after a death; another process goes on within 5 s, on a busy machine too
RENEW_SECONDS = 1.0
TRY_SECONDS = 0.25  # between two questions of who doesn't hold it
ANSWER_SECONDS = 1.0
FAILURES = (RedisError, OSError, TimeoutError)

LUA = Path(__file__).with_name("lua")  # says of each script what it is given

logger = logging.getLogger(__name__)


def key(name: str, database: str = "") -> str:
    """It is over positions, which are a database's: two that share a Redis have a lease each."""
    return f"chattalk:follower:{database or connection.settings_dict['NAME']}:{name}"


class Lease:
    """The lease of one follower; `who` is this process."""

    def __init__(self, name: str, who: str, seconds: float = LEASE_SECONDS) -> None:
        self._name, self._who, self._milliseconds = name, who, int(seconds * 1000)
        self._redis = redis.async_client(
            settings.REDIS_URL,
            socket_connect_timeout=ANSWER_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            retry=settings.REDIS_ENDED,
        )
        script = self._redis.register_script
        self._hold = script((LUA / "hold.lua").read_text())
        self._release = script((LUA / "release.lua").read_text())
        self._breaker = Breaker(
            f"the follower {name} runs without a lease", f"the follower {name} has a lease again"
        )

    async def hold(self) -> bool:
        """Take it or renew it; whether this process is the one, as far as anybody can say."""
        try:
            held = await self._hold([key(self._name)], [self._who, self._milliseconds])
        except FAILURES as error:
            self._breaker.failed(error)
            return True
        self._breaker.answered()
        return bool(held)

    async def release(self) -> None:
        try:
            await self._release([key(self._name)], [self._who])
        except FAILURES as error:
            logger.info("%s: left to its lease, for Redis failed: %s", self._name, error)
        finally:
            await self._redis.aclose()


@cache
def _redis(url: str) -> Redis:
    return redis.client(url, decode_responses=True, **settings.REDIS_OPTIONS)


def holder(name: str) -> str | None:
    """The process that holds it; for threads. Raises what FAILURES has."""
    found = _redis(settings.REDIS_URL).get(key(name))
    return str(found) if found else None
