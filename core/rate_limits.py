"""How often someone may do what costs us or others: one rule for every door.

A moving window in Redis, counted by one script, so it is one over all processes. While Redis is
down things go on uncounted. Who spends: accounts/backends.py and accounts/services.py for an
address, messaging/services/ for a person, interfaces/api/throttle.py for requests.
"""

import math
import time
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils.translation import ngettext_lazy
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import ConnectionPool
from redis.exceptions import RedisError

from core import refusal_log

# What is counted, by which setting, and for whom.
RULES: dict[str, tuple[type[RateLimitItem], str]] = {
    "person": (RateLimitItemPerMinute, "API_RATE"),
    "address": (RateLimitItemPerMinute, "API_RATE_NOBODY"),
    "device": (RateLimitItemPerMinute, "API_RATE_NOBODY"),  # who shows a token of it
    "page": (RateLimitItemPerMinute, "PAGE_RATE"),  # per person
    "page_nobody": (RateLimitItemPerMinute, "PAGE_RATE_NOBODY"),  # per address
    "sign_in": (RateLimitItemPerMinute, "SIGN_IN_RATE"),  # per address
    "sign_up": (RateLimitItemPerHour, "SIGN_UP_RATE"),  # per address
    "password": (RateLimitItemPerHour, "PASSWORD_RATE"),  # per person
    "join": (RateLimitItemPerMinute, "JOIN_RATE"),  # per person
    "open_room": (RateLimitItemPerHour, "ROOM_RATE"),  # per person
}

# What refuses for a while only, and the status that says so, at every door.
PASSING = {"rate_limited": 429, "locked_out": 429, "unavailable": 503}


class Count(NamedTuple):
    """How it stands with someone after one more."""

    allowed: bool
    limit: RateLimitItem
    left: int
    seconds: int  # until the window has moved on


@cache
def _limiter(url: str) -> MovingWindowRateLimiter:
    pool = ConnectionPool.from_url(url, **settings.REDIS_OPTIONS)
    return MovingWindowRateLimiter(
        RedisStorage("redis://", connection_pool=pool, key_prefix="chattalk:pace")
    )


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


def _hit(name: str, who: str) -> tuple[bool, RateLimitItem]:
    kind, setting = RULES[name]
    limit = kind(getattr(settings, setting))
    return _limiter(settings.REDIS_URL).hit(limit, name, who), limit


def _count(name: str, who: str, allowed: bool, limit: RateLimitItem) -> Count:
    reset, left = _limiter(settings.REDIS_URL).get_window_stats(limit, name, who)
    if not allowed:
        refusal_log.note(f"{name}, too often", who)
    return Count(allowed, limit, left, max(1, round(reset - time.time())))


def hit(name: str, who: str) -> None:
    """Once more by `who`. Raises ValidationError(rate_limited), with `retry_after` seconds."""
    if seconds := seconds_to_wait(name, who):
        raise ValidationError(
            ngettext_lazy(
                "Too often. Try again in %(minutes)d minute.",
                "Too often. Try again in %(minutes)d minutes.",
                "minutes",
            ),
            code="rate_limited",
            params={"minutes": math.ceil(seconds / 60), "retry_after": seconds},
        )


def told(response: HttpResponse, refusals: Iterable[ValidationError]) -> HttpResponse:
    """The page that shows the refusals, with the status and `Retry-After` of one that passes."""
    for refusal in refusals:
        seconds = (refusal.params or {}).get("retry_after")
        if seconds and refusal.code in PASSING:
            response.status_code = PASSING[refusal.code]
            response["Retry-After"] = str(seconds)
    return response
