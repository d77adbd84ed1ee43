"""How many requests someone may send: per person, or per address where nobody is signed in.

A moving window in Redis, counted by one script, so it is one over all processes. While Redis is
down requests go on uncounted.
"""

import ipaddress
import logging
import time
from functools import cache

from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import ConnectionPool
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

log = logging.getLogger(__name__)

BREAK_SECONDS = 2  # after Redis failed, this long no one waits for it


class _Breaker:
    until = 0.0


@cache
def _limiter(url: str) -> MovingWindowRateLimiter:
    pool = ConnectionPool.from_url(url, **settings.REDIS_OPTIONS)
    return MovingWindowRateLimiter(
        RedisStorage("redis://", connection_pool=pool, key_prefix="chattalk:pace")
    )


def _limits(request: Request, view: object) -> list[tuple[str, RateLimitItem, str]]:
    """(name, limit, who): the narrow ones of the view first."""
    address = _network(request.META.get("REMOTE_ADDR", ""))
    items = {
        "sign_up": RateLimitItemPerHour(settings.SIGN_UP_RATE),
        "sign_in": RateLimitItemPerMinute(settings.SIGN_IN_RATE),
    }
    narrow = [(name, items[name], address) for name in getattr(view, "paces", ())]
    if request.user.is_authenticated:
        return [
            *narrow,
            ("person", RateLimitItemPerMinute(settings.API_RATE), str(request.user.pk)),
        ]
    return [*narrow, ("address", RateLimitItemPerMinute(settings.API_RATE_NOBODY), address)]


def _network(address: str) -> str:
    """Who has one address of IPv6 has all 2^64 beside it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address


class Pace(BaseThrottle):
    """Notes on the request what accounts/api/view.py tells the client: RateLimit headers."""

    def allow_request(self, request: Request, view: object) -> bool:
        self._seconds: float | None = None
        if time.monotonic() < _Breaker.until:
            return True
        try:
            return all(self._count(request, *limit) for limit in _limits(request, view))
        except RedisError as error:
            _Breaker.until = time.monotonic() + BREAK_SECONDS
            log.warning("requests are not counted, for Redis failed: %s", error)
            return True

    def _count(self, request: Request, name: str, limit: RateLimitItem, who: str) -> bool:
        limiter = _limiter(settings.REDIS_URL)
        allowed = limiter.hit(limit, name, who)
        reset, left = limiter.get_window_stats(limit, name, who)
        seconds = max(1, round(reset - time.time()))
        request.pace_headers = {
            "RateLimit-Policy": f'"{name}";q={limit.amount};w={limit.get_expiry()}',
            "RateLimit": f'"{name}";r={left};t={seconds}',
        }
        if not allowed:
            self._seconds = seconds
        return allowed

    def wait(self) -> float | None:
        return self._seconds
