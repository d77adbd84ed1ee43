"""The lock at a room's door. It keeps the crowd in order; who gets a seat, the database decides.

So a lock that is lost, late or broken costs order and time, never a seat: when Redis is down, or
the lock can't be had within the wait, the work goes on without it.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from django.conf import settings
from redis import Redis
from redis.exceptions import LockError, RedisError
from redis.lock import Lock

from core import redis

logger = logging.getLogger(__name__)

LEASE_SECONDS = 3  # a dead holder's lock opens by itself; seating takes milliseconds
POLL_SECONDS = 0.01


@cache
def _redis(url: str) -> Redis:
    return redis.client(url, **settings.REDIS_OPTIONS)


@contextmanager
def room_lock(room_id: int) -> Iterator[bool]:
    """Hold the room's lock, waiting at most SEAT_WAIT_SECONDS; says whether it is held."""
    lock = _acquire(room_id)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            _release(lock)


def _acquire(room_id: int) -> Lock | None:
    lock = _redis(settings.REDIS_URL).lock(
        f"chattalk:door:{room_id}",
        timeout=LEASE_SECONDS,
        blocking_timeout=settings.SEAT_WAIT_SECONDS,
        sleep=POLL_SECONDS,
    )
    try:
        if lock.acquire():
            return lock
        logger.warning("room %s: no lock within the wait; seating without it", room_id)
    except RedisError as error:
        logger.info("room %s: seating without a lock, for Redis failed: %s", room_id, error)
    return None


def _release(lock: Lock) -> None:
    try:
        lock.release()  # compares the owner's token: never a stranger's lock
    except LockError:
        logger.info("%s: the lease ended before the work did", lock.name)
    except RedisError as error:
        logger.info("%s: left to its lease, for Redis failed: %s", lock.name, error)
