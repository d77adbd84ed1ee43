"""Live connections, in Redis: which processes live, and whom each of them holds in which room.

A person is here if and only if a live process holds a field for them. Fields are set absolutely,
never counted up and down, so doing a thing twice is harmless and a lost answer can be asked again.
All times are by Redis' own clock.

What is used together has one hash tag, so that it is together in a cluster, too: rooms fall into
parts, and a part has its rooms, which of them each process keeps people in, and the last heartbeat
that a process knew of when it told something there. Which processes live stands elsewhere, once; of
that each brings along what its last heartbeat answered. A process that came back says so in a part
before anybody can take its people out of it there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from core import redis

PREFIX = "chattalk:here"
PROCESSES = f"{PREFIX}:live"  # zset: process → last heartbeat in µs
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


class Keys:
    """Their names; `parts`: how many there are."""

    def __init__(self, url: str) -> None:
        self._parts = redis.parts(url)

    def room(self, room_id: int) -> str:
        """hash: process:user → name"""
        return f"{self._part(room_id)}:room:{room_id}"

    def version(self, room_id: int) -> str:
        return f"{self._part(room_id)}:version:{room_id}"

    def last_beats(self, room_id: int) -> str:
        """hash: process → its last heartbeat in µs, as it knew when it told something here"""
        return f"{self._part(room_id)}:beats"

    def all_last_beats(self) -> list[str]:
        return [self.last_beats(part) for part in range(self._parts)]

    def rooms(self, process: str, room_id: int) -> str:
        """set: the rooms in which it keeps people"""
        return f"{self._part(room_id)}:rooms:{process}"

    def all_rooms(self, process: str) -> list[str]:
        return [self.rooms(process, part) for part in range(self._parts)]

    def _part(self, room_id: int) -> str:
        return f"{PREFIX}:{{{room_id % self._parts}}}"


class Leases:
    def __init__(self, url: str, process: str, lease_seconds: float):
        self.process = process
        self._lease = int(lease_seconds * 1_000_000)
        self._keys = Keys(url)
        self._last: Beat | None = None
        self._redis = redis.async_client(
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

    @property
    def live(self) -> list[str]:
        """Which processes live, as of our last heartbeat."""
        return self._last.live if self._last else []

    async def beat(self) -> Beat:
        now, known, scores = await self._beat([PROCESSES], [self.process, self._lease])
        beats = {name: int(float(at)) for name, at in zip(scores[::2], scores[1::2], strict=True)}
        dead = {name: at for name, at in beats.items() if at < now - self._lease}
        live = [name for name in beats if name not in dead]
        self._last = Beat(now, bool(known), live, dead)
        return self._last

    async def apply(
        self, rooms: Iterable[tuple[int, bool, list[Item]]]
    ) -> list[tuple[int, Applied | None]]:
        """(room, whether we keep people there, items) → what it came to; None: beat first."""
        wanted, beat = list(rooms), self._last
        if beat is None:
            return [(room_id, None) for room_id, _, _ in wanted]
        async with self._redis.pipeline(transaction=False) as pipe:
            for room_id, keeps, items in wanted:
                argv: list[Any] = [self.process, self._lease, room_id, *self._living(beat)]
                argv += [beat.now, int(keeps), *_flat(items)]
                await self._apply(self._of(room_id, self.process), argv, client=pipe)
            answers = await pipe.execute()
        return [
            (room_id, _applied(answer, [user_id for _, user_id, _ in items]))
            for (room_id, _, items), answer in zip(wanted, answers, strict=True)
        ]

    async def load(self, room_id: int) -> Loaded:
        keys = [
            self._keys.last_beats(room_id),
            self._keys.room(room_id),
            self._keys.version(room_id),
        ]
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
        found = await self._redis.mget([self._keys.version(room_id) for room_id in room_ids])
        return [int(one or 0) for one in found]

    async def rooms_of(self, process: str) -> list[int]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for key in self._keys.all_rooms(process):
                pipe.smembers(key)
            found = await pipe.execute()
        return [int(room_id) for some in found for room_id in some]

    async def reap(self, room_id: int, process: str, last_beat: int) -> Applied | None:
        living = self._living(self._last) if self._last else [0]
        argv: list[Any] = [process, self._lease, room_id, *living, last_beat]
        return _applied(await self._reap(self._of(room_id, process), argv), [])

    async def bury(self, process: str, last_beat: int) -> None:
        """Once all its rooms were reaped."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for key in (PROCESSES, *self._keys.all_last_beats()):
                await self._bury([key], [process, last_beat], client=pipe)
            await pipe.execute()

    async def release(self) -> None:
        await self._redis.delete(*self._keys.all_rooms(self.process))
        async with self._redis.pipeline(transaction=False) as pipe:
            for key in self._keys.all_last_beats():
                pipe.hdel(key, self.process)
            pipe.zrem(PROCESSES, self.process)
            await pipe.execute()

    async def drop_connections(self) -> None:
        await redis.disconnect(self._redis)

    async def close(self) -> None:
        await self._redis.aclose()

    def _of(self, room_id: int, process: str) -> list[str]:
        keys = self._keys
        own = keys.rooms(process, room_id)
        return [keys.last_beats(room_id), keys.room(room_id), keys.version(room_id), own]

    @staticmethod
    def _living(beat: Beat) -> list[Any]:
        return [len(beat.live), *beat.live]


def _flat(items: list[Item]) -> list[Any]:
    return [part for item in items for part in item]


def _applied(answer: list[Any] | None, users: list[int]) -> Applied | None:
    if answer is None:
        return None
    before, version, also, *reaped = answer
    return Applied(before, version, [bool(one) for one in also], reaped[0] if reaped else users)
