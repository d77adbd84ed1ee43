"""How many are here, for pages that show many rooms at once: reads what leases.py keeps.

Blocks for a bounded time, and raises what redis-py raises when Redis does not answer.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from redis.exceptions import RedisError

from core import redis
from presence.leases import PROCESSES, Keys
from presence.timings import STEADY

ONLINE_SECONDS = 0.5  # for counting everybody; what was counted until then is "at least"
ROOMS_AT_ONCE = 500
FAILURES = (RedisError, OSError)


@dataclass(frozen=True)
class Online:
    people: int  # with a room open, each once
    complete: bool  # False: there was no time to look at all rooms


def here(room_ids: Sequence[int]) -> dict[int, int]:
    """How many people are in each of these rooms."""
    live = _live()
    found = _people(room_ids, live)
    return {room_id: len(people) for room_id, people in zip(room_ids, found, strict=True)}


def held(room_ids: Sequence[int]) -> dict[int, set[int]]:
    """The people whom a live process holds in each of these rooms."""
    found = _people(room_ids, _live())
    return {
        room: {int(one) for one in people} for room, people in zip(room_ids, found, strict=True)
    }


def online() -> Online:
    """How many people are in some room."""
    end = time.monotonic() + ONLINE_SECONDS
    live = _live()
    rooms: set[int] = set()
    keys = Keys(settings.REDIS_URL)
    with _redis(settings.REDIS_URL).pipeline(transaction=False) as pipe:
        for key in (key for process in live for key in keys.all_rooms(process)):
            pipe.smembers(key)
        for members in pipe.execute():
            rooms |= {int(room) for room in members}
    waiting, people = sorted(rooms), set()
    while waiting and time.monotonic() < end:
        batch, waiting = waiting[:ROOMS_AT_ONCE], waiting[ROOMS_AT_ONCE:]
        for some in _people(batch, live):
            people |= some
    return Online(len(people), complete=not waiting)


def _live() -> list[str]:
    with _redis(settings.REDIS_URL).pipeline(transaction=False) as pipe:
        pipe.execute_command("TIME")  # of any node; `pipe.time` refuses in a cluster
        (seconds, micros), beats = pipe.zrange(PROCESSES, 0, -1, withscores=True).execute()
    oldest = (seconds - STEADY.lease) * 1_000_000 + micros
    return [process for process, at in beats if at >= oldest]


def _people(room_ids: Iterable[int], live: Sequence[str]) -> list[set[str]]:
    """The people in each room: the fields of its hash are `process:user`."""
    keys = Keys(settings.REDIS_URL)
    with _redis(settings.REDIS_URL).pipeline(transaction=False) as pipe:
        for room_id in room_ids:
            pipe.hkeys(keys.room(room_id))
        found = pipe.execute()
    split = [[field.rpartition(":") for field in fields] for fields in found]
    return [{user for process, _, user in fields if process in live} for fields in split]


@lru_cache(maxsize=1)
def _redis(url: str) -> Any:
    return redis.client(url, decode_responses=True, **settings.REDIS_OPTIONS)
