"""Live connections, in Redis: which processes live, and whom each of them holds in which room.

A person is here if and only if a live process holds a field for them. Fields are set absolutely,
never counted up and down, so doing a thing twice is harmless and a lost answer can be asked again.
All times are by Redis' own clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from redis.asyncio import Redis

PREFIX = "chattalk:here"
PROCESSES = f"{PREFIX}:processes"  # zset: process → last heartbeat in µs
TIMEOUT_SECONDS = 1.5  # for any answer; a stopped Redis must not stop the people
PEOPLE_AT_ONCE = 500  # in one script: Redis does nothing else meanwhile

LUA = Path(__file__).with_name("lua")  # says of each script what it is given


def _lua(*names: str) -> str:
    return "".join((LUA / f"{name}.lua").read_text() for name in names)


class StoreDown(Exception):
    """Redis did not answer."""


@dataclass(frozen=True)
class Beat:
    now: int
    known: bool  # the lease had not run out
    live: list[str]
    dead: dict[str, int]  # process → its last heartbeat


@dataclass(frozen=True)
class Applied:
    before: int
    version: int
    elsewhere: list[bool]  # for each person: also held by another live process
    users: list[int]


@dataclass(frozen=True)
class Loaded:
    now: int
    version: int
    people: dict[int, str]
    held_by: dict[int, list[str]]


Item = tuple[str, int, str]  # here, gone or left; user id; name


def room_key(room_id: int) -> str:
    return f"{PREFIX}:room:{room_id}"


def version_key(room_id: int) -> str:
    return f"{PREFIX}:version:{room_id}"


def rooms_key(process: str) -> str:
    return f"{PREFIX}:rooms:{process}"


class Leases:
    def __init__(self, url: str, process: str, lease_seconds: float):
        self.process = process
        self._lease = int(lease_seconds * 1_000_000)
        self._redis = Redis.from_url(
            url,
            decode_responses=True,
            encoding_errors="replace",  # half a surrogate pair in a name must not stop the others
            socket_connect_timeout=TIMEOUT_SECONDS,
            socket_timeout=TIMEOUT_SECONDS,
            retry=settings.REDIS_ENDED,
        )
        script = self._redis.register_script
        self._apply, self._reap = script(_lua("common", "apply")), script(_lua("common", "reap"))
        self._beat, self._load = script(_lua("beat")), script(_lua("load"))
        self._bury = script(_lua("bury"))

    async def beat(self) -> Beat:
        now, known, scores = await self._beat([PROCESSES], [self.process, self._lease])
        beats = {name: int(float(at)) for name, at in zip(scores[::2], scores[1::2], strict=True)}
        dead = {name: at for name, at in beats.items() if at < now - self._lease}
        return Beat(now, bool(known), [name for name in beats if name not in dead], dead)

    async def apply(
        self, rooms: Iterable[tuple[int, bool, list[Item]]]
    ) -> list[tuple[int, Applied | None]]:
        """(room, whether we keep people there, items) → what it came to; None: beat first."""
        wanted = list(rooms)
        async with self._redis.pipeline(transaction=False) as pipe:
            for room_id, keeps, items in wanted:
                argv: list[Any] = [self.process, self._lease, room_id, int(keeps), *_flat(items)]
                await self._apply(self._keys(room_id, self.process), argv, client=pipe)
            answers = await pipe.execute()
        return [
            (room_id, _applied(answer, [user_id for _, user_id, _ in items]))
            for (room_id, _, items), answer in zip(wanted, answers, strict=True)
        ]

    async def load(self, room_id: int) -> Loaded:
        keys = [PROCESSES, room_key(room_id), version_key(room_id)]
        now, version, known, fields = await self._load(keys)
        people: dict[int, str] = {}
        held_by: dict[int, list[str]] = {}
        for field, name in zip(fields[::2], fields[1::2], strict=True):
            process, _, user = field.rpartition(":")
            if process in known:
                people[int(user)] = name
                held_by.setdefault(int(user), []).append(process)
        return Loaded(now, int(version), people, held_by)

    async def versions(self, room_ids: list[int]) -> list[int]:
        if not room_ids:
            return []
        found = await self._redis.mget([version_key(room_id) for room_id in room_ids])
        return [int(one or 0) for one in found]

    async def rooms_of(self, process: str) -> list[int]:
        found: Any = self._redis.smembers(rooms_key(process))
        return [int(one) for one in await found]

    async def reap(self, room_id: int, process: str, last_beat: int) -> Applied | None:
        argv: list[Any] = [process, self._lease, room_id, last_beat]
        return _applied(await self._reap(self._keys(room_id, process), argv), [])

    async def bury(self, process: str, last_beat: int) -> None:
        await self._bury([PROCESSES, rooms_key(process)], [process, last_beat])

    async def release(self) -> None:
        await self._redis.delete(rooms_key(self.process))
        await self._redis.zrem(PROCESSES, self.process)

    async def drop_connections(self) -> None:
        await self._redis.connection_pool.disconnect()

    async def close(self) -> None:
        await self._redis.aclose()

    def _keys(self, room_id: int, process: str) -> list[str]:
        return [PROCESSES, room_key(room_id), version_key(room_id), rooms_key(process)]


def _flat(items: list[Item]) -> list[Any]:
    return [part for item in items for part in item]


def _applied(answer: list[Any] | None, users: list[int]) -> Applied | None:
    if answer is None:
        return None
    before, version, also, *reaped = answer
    return Applied(before, version, [bool(one) for one in also], reaped[0] if reaped else users)
