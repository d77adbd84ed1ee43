"""Who is here: what a server process tells of its own people, and knows of all the others'."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

from django.conf import settings
from redis.exceptions import RedisError

from core.tasks import end
from presence import last_seen
from presence.leases import Leases, StoreDown
from presence.local import LocalPeople
from presence.pending import PendingChange
from presence.reaper import Reaper
from presence.replicator import Replicator
from presence.room_state import Change, Frame, Room, micros, now_micros
from presence.timings import STEADY, Timings
from presence.write_behind import WriteBehind

LOADS_AT_ONCE = 8  # rooms; the others wait for their turn
TICK_SECONDS = 0.05  # while there is something to show

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")


class Tracker:
    """Who is here, as one server process knows it. All methods belong to one event loop."""

    def __init__(
        self,
        *,
        tell: Callable[[int, Change], None],
        show: Callable[[int, Frame], None],
        process: str | None = None,
        pace: Timings = STEADY,
    ):
        self.process = process or uuid.uuid4().hex[:12]
        self.pace = pace
        self.rooms: dict[int, Room] = {}
        self.leases = Leases(settings.REDIS_URL, self.process, pace.lease)
        self.ledger = WriteBehind(self.process, self._mongodb_turned)
        self.recovered = asyncio.Event()
        self._tell, self._show = tell, show
        self.visitors = LocalPeople(pace.grace)
        self.changes = Replicator(self)
        self._redis_ok = True
        self._passing: dict[int, Room] = {}  # loaded for somebody who does not stay
        self._unshown: set[int] = set()
        self._to_show = asyncio.Event()
        self._loads = asyncio.Semaphore(LOADS_AT_ONCE)
        self.upkeep = Reaper(self)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False

    @property
    def redis_is_down(self) -> bool:
        return not self._redis_ok

    @property
    def degraded(self) -> bool:
        return not (self._redis_ok and self.ledger.ok)

    async def start(self) -> None:
        """A store that is down does not keep it from starting."""
        loops = (self.changes.step, self._show_loop, self.upkeep.step)
        for loop in loops:
            self.run(self._for_ever(loop))
        self.run(self.ledger.keep())

    async def stop(self) -> None:
        """Everybody here goes now. What can't be told any more the others find out by the lease."""
        await self._halt()
        # Waited for, not cancelled at the time: redis-py may swallow a cancellation.
        farewell = self.run(self._farewell())
        await asyncio.wait([farewell], timeout=self.pace.farewell)
        if not farewell.done():
            logger.warning("Stopped without a farewell: a store is too slow")
        await self.close()

    async def close(self) -> None:
        """Stop without a word, as a killed process does."""
        await self._halt()
        self.ledger.close()
        with suppress(RedisError, OSError):
            await self.leases.close()

    # --- what the hub says --------------------------------------------------------------------

    def arrive(self, room_id: int, user_id: int, name: str) -> None:
        """One more connection of that person in the room. First arrive, then take a snapshot."""
        room = self.rooms.get(room_id)
        if room is None:
            room = self.rooms[room_id] = self._new_room(room_id)
            self.load(room)
        if visitor := self.visitors.arrive(room_id, user_id, name, now_micros()):
            self.changes.wish_here(room_id, user_id, visitor)
            room.come(user_id, name)
            self.touch(room)

    def rename(self, room_id: int, user_id: int, name: str) -> None:
        """Who is here is called otherwise."""
        visitor = self.visitors.get(room_id, user_id)
        if visitor is None or visitor.name == name:
            return
        visitor.name = name
        wish = PendingChange("here", name, came_at=visitor.came_at, is_renamed=True)
        self.changes.wish(room_id, user_id, wish)
        if room := self.rooms.get(room_id):
            room.come(user_id, name)
            self.touch(room)

    def depart(self, room_id: int, user_id: int, at: datetime, seq: int) -> None:
        """One connection less; `at` is its last sign of life, `seq` what it was last given."""
        self.visitors.depart(room_id, user_id, micros(at), seq, self.now())
        self.changes.stir()

    def hurry(self, room_id: int, user_id: int) -> None:
        """Who has no connection here any more said so themselves: nobody waits for their return."""
        self.visitors.hurry(room_id, user_id, self.now())
        self.changes.stir()

    def left(self, room_id: int, user_id: int) -> None:
        """The seat was given up: nowhere here any more, and forgotten."""
        self.visitors.drop(room_id, user_id)
        self.changes.wish(room_id, user_id, PendingChange("left", exit_at=now_micros()))

    def forget(self, room_id: int) -> None:
        """No socket of this process is in the room any more."""
        self.rooms.pop(room_id, None)
        self._unshown.discard(room_id)

    def heard(self, room_id: int, change: Change) -> None:
        """What another process told."""
        for user_id, at in change["left"]:
            visitor = self.visitors.get(room_id, user_id)
            if visitor is None or not 0 < visitor.version < change["v"]:
                continue
            if visitor.came_at > at:  # back since, and Redis has just forgotten them
                self.changes.wish_here(room_id, user_id, visitor)
            else:
                self.visitors.drop(room_id, user_id)
        if room := self.rooms.get(room_id):
            room.hear(change, self.now())
            self.touch(room)

    async def snapshot(self, room_id: int) -> Frame:
        room = self.rooms.get(room_id) or self._passing.get(room_id)
        if room is None:
            room = self._passing[room_id] = self._new_room(room_id)
        if not room.loaded and self._redis_ok:
            await asyncio.wait([self.load(room)])
        self._passing.pop(room_id, None)
        return room.snapshot(self.degraded)

    def people(self, room_id: int) -> set[int]:
        """Everybody who is here, as the last frame said; this process has to hold the room."""
        room = self.rooms.get(room_id)
        return room.people() if room else set()

    # --- what the rest of presence does with it -----------------------------------------------

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def reach(self, call: Awaitable[Answer]) -> Answer:
        """An answer of Redis. Whether it came is what `degraded` goes by."""
        try:
            answer = await call
        except (RedisError, OSError) as error:
            self._redis_turned(False, error)
            raise StoreDown(str(error)) from error
        self._redis_turned(True)
        return answer

    def load(self, room: Room) -> asyncio.Task[None]:
        if room.loading is None or room.loading.done():
            room.loading = self.run(self._load(room))
        return room.loading

    def run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def touch(self, room: Room) -> None:
        self._unshown.add(room.id)
        self._to_show.set()

    def pass_on(self, room_id: int, change: Change) -> None:
        """To our own sockets of the room, and to the other processes."""
        self.heard(room_id, change)
        try:
            self._tell(room_id, change)
        except Exception:
            logger.exception("A change of presence was not told")  # the others' audit finds it

    # --- inside -------------------------------------------------------------------------------

    def _new_room(self, room_id: int) -> Room:
        visitors = self.visitors
        room = Room(room_id, self.pace, lambda user_id: visitors.get(room_id, user_id) is not None)
        for user_id, visitor in visitors.of(room_id).items():
            room.come(user_id, visitor.name)
        return room

    async def _halt(self) -> None:
        self._stopped = True
        await end(*self._tasks)

    async def _load(self, room: Room) -> None:
        async with self._loads:
            if self._stopped or not self._redis_ok:
                return
            try:
                loaded = await self.reach(self.leases.load(room.id))
            except StoreDown:
                return  # the upkeep loads it as soon as Redis answers
        room.replace(loaded.people, loaded.version, loaded.now, self.now())
        self.changes.mend(room.id, loaded)
        self.touch(room)

    async def _show_loop(self) -> None:
        await self._to_show.wait()
        for room_id in list(self._unshown):
            self._show_room(self.rooms.get(room_id), room_id)
        if self._unshown:
            await asyncio.sleep(TICK_SECONDS)
        else:
            self._to_show.clear()

    def _show_room(self, room: Room | None, room_id: int) -> None:
        now = self.now()
        if room and room.needs_loading(now) and self._redis_ok:
            self.load(room)
        if room and now >= room.next_frame_at() and (frame := room.frame(self.degraded, now)):
            self._show(room_id, frame)
        if room is None or (room.settled(self.degraded) and room.gap_since is None):
            self._unshown.discard(room_id)

    async def _for_ever(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except StoreDown:
                await asyncio.sleep(self.pace.retry)
            except Exception:
                logger.exception("Presence stumbled")
                await asyncio.sleep(self.pace.retry)

    async def _farewell(self) -> None:
        now = now_micros()
        for room_id, user_id, visitor in self.visitors.all():
            self.visitors.drop(room_id, user_id)
            at = now if visitor.connections else visitor.exit_at
            self.changes.wish(room_id, user_id, PendingChange("gone", exit_at=at, seq=visitor.seq))
        try:
            await self.leases.drop_connections()  # one may have been left amid an answer
            await self.changes.flush()
            await self.reach(self.leases.release())
            await self.ledger.leave()
        except (StoreDown, RedisError, OSError, *last_seen.FAILURES) as error:
            logger.warning("Stopped without a farewell: %s", error)

    def _redis_turned(self, ok: bool, why: object = "") -> None:
        if ok != self._redis_ok:
            self._redis_ok = ok
            logger.warning("Redis answers again" if ok else f"Redis is down: {why}")
            self._turned()

    def _mongodb_turned(self) -> None:
        if self.ledger.ok:
            self.changes.assert_all()
        self._turned()

    def _turned(self) -> None:
        for room in self.rooms.values():
            self.touch(room)
        if not self.degraded:
            self.recovered.set()
