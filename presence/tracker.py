"""Presence in one server process: it tells of its own people, and knows those of the others."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from redis.exceptions import RedisError

from core.tasks import end
from presence import last_seen
from presence.leases import StoreDown
from presence.pending import PendingChange
from presence.reaper import Reaper
from presence.replicator import Replicator
from presence.room_state import Change, Frame, PresenceRoom, micros, now_micros
from presence.state import PresenceState
from presence.timings import STEADY, Timings

TICK_SECONDS = 0.05  # while there is something to show

logger = logging.getLogger(__name__)


class Tracker:
    """The people who are here, as one process knows it. All methods belong to one event loop.

    `tell` takes what the other processes are to hear of a room, `show` a `presence` frame of
    docs/wire.md for this process's sockets.
    """

    def __init__(
        self,
        *,
        tell: Callable[[int, Change], None],
        show: Callable[[int, Frame], None],
        process: str | None = None,
        timings: Timings = STEADY,
    ) -> None:
        self.state = PresenceState(process or uuid.uuid4().hex[:12], timings, self._mongodb_turned)
        self.replicator = Replicator(self.state, tell, lambda: self.reaper.beat())
        self.reaper = Reaper(self.state, self.replicator)
        self._show = show
        self._passing: dict[int, PresenceRoom] = {}  # loaded for somebody who does not stay

    async def start(self) -> None:
        """A store that is down does not keep it from starting."""
        for loop in (self.replicator.step, self._show_loop, self.reaper.step):
            self.state.run(self._for_ever(loop))
        self.state.run(self.state.write_behind.keep())

    async def stop(self) -> None:
        """Everybody here goes now. What can't be told any more the others find out by the lease."""
        await self._halt()
        # Waited for, not cancelled at the time: redis-py may swallow a cancellation.
        farewell = self.state.run(self._farewell())
        await asyncio.wait([farewell], timeout=self.state.timings.farewell)
        if not farewell.done():
            logger.warning("Stopped without a farewell: a store is too slow")
        await self.close()

    async def close(self) -> None:
        """Stop without a word, as a killed process does."""
        await self._halt()
        self.state.write_behind.close()
        with suppress(RedisError, OSError):
            await self.state.leases.close()

    # --- what the hub says --------------------------------------------------------------------

    def track(self, room_id: int, user_id: int, name: str) -> None:
        """One more connection of that person in the room. First track, then take a snapshot."""
        room = self.state.rooms.get(room_id)
        if room is None:
            room = self.state.rooms[room_id] = self._new_room(room_id)
            self.replicator.load(room)
        if person := self.state.local.track(room_id, user_id, name, now_micros()):
            self.replicator.add_here(room_id, user_id, person)
            room.come(user_id, name)
            self.state.touch(room)

    def rename(self, room_id: int, user_id: int, name: str) -> None:
        """A person who is here has another name."""
        person = self.state.local.get(room_id, user_id)
        if person is None or person.name == name:
            return
        person.name = name
        change = PendingChange("here", name, came_at=person.came_at, is_renamed=True)
        self.replicator.add(room_id, user_id, change)
        if room := self.state.rooms.get(room_id):
            room.come(user_id, name)
            self.state.touch(room)

    def untrack(self, room_id: int, user_id: int, at: datetime, seq: int) -> None:
        """One connection less; `at` is its last sign of life, `seq` what it was last given."""
        self.state.local.untrack(room_id, user_id, micros(at), seq, self.state.now())
        self.replicator.stir()

    def hurry(self, room_id: int, user_id: int) -> None:
        """A person without a connection here left on purpose: nobody waits for their return."""
        self.state.local.hurry(room_id, user_id, self.state.now())
        self.replicator.stir()

    def left(self, room_id: int, user_id: int) -> None:
        """The seat was given up: nowhere here any more, and forgotten."""
        self.state.local.drop(room_id, user_id)
        self.replicator.add(room_id, user_id, PendingChange("left", exit_at=now_micros()))

    def forget(self, room_id: int) -> None:
        """No socket of this process is in the room any more."""
        self.state.rooms.pop(room_id, None)
        self.state.unshown.discard(room_id)

    def hear(self, room_id: int, change: Change) -> None:
        """What another process told."""
        self.replicator.hear(room_id, change)

    def known(self, room_id: int) -> Frame | None:
        """The snapshot, if nothing is to be waited for."""
        room = self.state.rooms.get(room_id)
        is_ready = room is not None and (room.loaded or self.state.redis.is_down)
        return room.snapshot(self.state.degraded) if room and is_ready else None

    async def snapshot(self, room_id: int) -> Frame:
        room = self.state.rooms.get(room_id) or self._passing.get(room_id)
        if room is None:
            room = self._passing[room_id] = self._new_room(room_id)
        if not room.loaded and not self.state.redis.is_down:
            await asyncio.wait([self.replicator.load(room)])
        self._passing.pop(room_id, None)
        return room.snapshot(self.state.degraded)

    def people(self, room_id: int) -> set[int]:
        """Everybody who is here, as the last frame said; this process has to hold the room."""
        room = self.state.rooms.get(room_id)
        return room.people() if room else set()

    # --- inside -------------------------------------------------------------------------------

    def _new_room(self, room_id: int) -> PresenceRoom:
        local = self.state.local
        room = PresenceRoom(
            room_id, self.state.timings, lambda user_id: local.get(room_id, user_id) is not None
        )
        for user_id, person in local.of(room_id).items():
            room.come(user_id, person.name)
        return room

    async def _halt(self) -> None:
        self.state.is_stopped = True
        await end(*self.state.tasks)

    async def _show_loop(self) -> None:
        state = self.state
        await state.to_show.wait()
        for room_id in list(state.unshown):
            self._show_room(state.rooms.get(room_id), room_id)
        if state.unshown:
            await asyncio.sleep(TICK_SECONDS)
        else:
            state.to_show.clear()

    def _show_room(self, room: PresenceRoom | None, room_id: int) -> None:
        state, now = self.state, self.state.now()
        if room and room.needs_loading(now) and not state.redis.is_down:
            self.replicator.load(room)
        if room and now >= room.next_frame_at() and (frame := room.frame(state.degraded, now)):
            self._show(room_id, frame)
        if room is None or (room.settled(state.degraded) and room.gap_since is None):
            state.unshown.discard(room_id)

    async def _for_ever(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except StoreDown:
                await asyncio.sleep(self.state.timings.retry)
            except Exception:
                logger.exception("Presence stumbled")
                await asyncio.sleep(self.state.timings.retry)

    async def _farewell(self) -> None:
        state, now = self.state, now_micros()
        for room_id, user_id, person in state.local.all():
            state.local.drop(room_id, user_id)
            at = now if person.connections else person.exit_at
            change = PendingChange("gone", exit_at=at, seq=person.seq)
            self.replicator.add(room_id, user_id, change)
        try:
            await state.leases.drop_connections()  # one may have been left amid an answer
            await self.replicator.flush()
            await state.reach(state.leases.release())
            await state.write_behind.leave()
        except (StoreDown, RedisError, OSError, *last_seen.FAILURES) as error:
            logger.warning("Stopped without a farewell: %s", error)

    def _mongodb_turned(self) -> None:
        if not self.state.write_behind.mongodb.is_down:
            self.replicator.assert_all()
        self.state.turned()
