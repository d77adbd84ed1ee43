"""A moving window in Redis, counted by one script, so it is one over all processes. While Redis is
down things go on uncounted.

Who counts: accounts/backends.py and accounts/services.py for an address, messaging/services/ for a
person, interfaces/api/throttle.py and interfaces/web/throttle.py for requests.
"""

import time
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from django.conf import settings
from limits import RateLimitItem
from limits.storage import RedisStorage, Storage
from limits.strategies import MovingWindowRateLimiter
from redis import Redis
from redis.exceptions import RedisError

from core import redis, refusal_log
from core.rate_limits.refusals import too_often
from core.rate_limits.rules import OVER_PROCESSES


class Count(NamedTuple):
    """How it stands with someone after one more."""

    allowed: bool
    limit: RateLimitItem
    left: int
    seconds: int  # until the window has moved on


class _Storage(RedisStorage):
    """That of `limits`, by a client of ours. Each of its scripts that we use has one key."""

    def __init__(self, client: Redis) -> None:
        Storage.__init__(self)
        self.storage, self.key_prefix, self.target_server = client, "chattalk:pace", "redis"
        self.dependency = self.dependencies["redis"].module
        self.initialize_storage("redis://")


@cache
def _storage(url: str) -> _Storage:
    return _Storage(redis.client(url, **settings.REDIS_OPTIONS))


@cache
def _limiter(url: str) -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(_storage(url))


def _limit(name: str) -> RateLimitItem:
    kind, setting = OVER_PROCESSES[name]
    return kind(getattr(settings, setting))


def count(name: str, who: str) -> Count | None:
    """Once more by `who`, and how it stands now. None while Redis is down."""
    try:
        allowed, limit = _hit(name, who)
        return _count(name, who, allowed, limit)
    except RedisError:  # core/redis.py says so, and lets nobody wait for it
        return None


def seconds_to_wait(name: str, who: str) -> int:
    """Once more by `who`: 0 if they may; one question to Redis then, where `count` takes two."""
    try:
        allowed, limit = _hit(name, who)
        return 0 if allowed else _count(name, who, allowed, limit).seconds
    except RedisError:
        return 0


def seconds_for_all(name: str, whose: Sequence[str]) -> list[int]:
    """`seconds_to_wait` for each of them, by one question."""
    limit, storage = _limit(name), _storage(settings.REDIS_URL)
    asked = [limit.amount, limit.get_expiry(), 1]
    try:
        together = storage.storage.pipeline(transaction=False)
        for who in whose:
            key = storage.prefixed_key(limit.key_for(name, who))
            storage.lua_acquire_moving_window([key], [time.time(), *asked], together)
        return [
            0 if allowed else _count(name, who, False, limit).seconds
            for who, allowed in zip(whose, together.execute(), strict=True)
        ]
    except RedisError:
        return [0] * len(whose)


def hit(name: str, who: str) -> None:
    """Once more by `who`. Raises ValidationError(rate_limited), with `retry_after` seconds."""
    if seconds := seconds_to_wait(name, who):
        raise too_often(seconds)


def _hit(name: str, who: str) -> tuple[bool, RateLimitItem]:
    limit = _limit(name)
    return _limiter(settings.REDIS_URL).hit(limit, name, who), limit


def _count(name: str, who: str, allowed: bool, limit: RateLimitItem) -> Count:
    reset, left = _limiter(settings.REDIS_URL).get_window_stats(limit, name, who)
    if not allowed:
        refusal_log.note(f"{name}, too often", who)
    return Count(allowed, limit, left, max(1, round(reset - time.time())))
