"""Tells Redis of our people; and what it took, MongoDB, the other processes and our sockets. Hears
what they tell, and loads a room anew from Redis."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from presence.exits import Exits
from presence.leases import PEOPLE_AT_ONCE, Applied, Loaded, StoreDown
from presence.local import LocalPerson
from presence.marks import Mark
from presence.pending import Batch, PendingChange, PendingChanges
from presence.room_state import Change, PresenceRoom
from presence.state import PresenceState

LOADS_AT_ONCE = 8  # rooms; the others wait for their turn

logger = logging.getLogger(__name__)


class Replicator:
    """`tell` takes what the other processes are to hear of a room; `beat` says in Redis that this
    process lives."""

    def __init__(
        self,
        state: PresenceState,
        tell: Callable[[int, Change], None],
        beat: Callable[[], Awaitable[object]],
    ) -> None:
        self._state = state
        self._tell, self._beat = tell, beat
        self._pending = PendingChanges(PEOPLE_AT_ONCE)
        self._stirred = asyncio.Event()
        self._loads = asyncio.Semaphore(LOADS_AT_ONCE)
        self._exits = Exits()

    def stir(self) -> None:
        self._stirred.set()

    def add(self, room_id: int, user_id: int, change: PendingChange) -> None:
        self._pending.add(room_id, user_id, change)
        self.stir()

    def add_here(self, room_id: int, user_id: int, person: LocalPerson) -> None:
        self.add(room_id, user_id, PendingChange("here", person.name, came_at=person.came_at))

    def assert_all(self) -> None:
        """Redis or MongoDB has lost what we said: say all of it again."""
        for room_id, user_id, person in self._state.local.all():
            self.add_here(room_id, user_id, person)

    async def step(self) -> None:
        await self._stirred.wait()
        await asyncio.sleep(self._state.timings.gather)
        self._stirred.clear()
        try:
            await self.flush()
        finally:
            if self._pending or self._state.local.waiting:
                self.stir()

    async def flush(self) -> None:
        """Raises StoreDown; what was not taken is kept."""
        local = self._state.local
        for room_id, user_id, person in local.gone(self._state.now()):
            change = PendingChange("gone", exit_at=person.exit_at, seq=person.seq)
            self.add(room_id, user_id, change)
        while self._pending:
            batch = dict(self._pending.take())
            try:
                is_strange = await self._flush_batch(batch)
            finally:
                self._pending.put_back()
            if is_strange:  # silent for longer than our lease: the others think us dead
                await self._beat()

    async def _flush_batch(self, batch: Batch) -> bool:
        state = self._state
        rooms = [
            (
                room_id,
                bool(state.local.of(room_id)) or self._pending.keeps(room_id),
                [(change.what, user_id, change.name) for user_id, change in changes.items()],
            )
            for room_id, changes in batch.items()
        ]
        answers = await state.reach(state.leases.apply(rooms))
        for room_id, applied in answers:
            if applied:
                self._pending.done(room_id)
                self.took(room_id, batch[room_id], applied)
        return any(applied is None for _, applied in answers)

    def took(self, room_id: int, changes: dict[int, PendingChange], applied: Applied) -> None:
        """Redis knows it: now everybody else may."""
        came: list[Any] = []
        went: list[Any] = []
        for (user_id, change), elsewhere in zip(changes.items(), applied.elsewhere, strict=True):
            person = self._state.local.get(room_id, user_id)
            if person and change.what == "here":
                person.version = applied.version
            if elsewhere and change.what != "left" and not change.is_renamed:
                if change.what == "gone":
                    now = self._state.now()
                    self._exits.note(room_id, user_id, change.exit_at, change.seq, now)
                continue
            if change.what == "here":
                came.append([user_id, change.name])
            else:
                went.append([user_id, change.exit_at or applied.version])  # which is a time, too
            self._state.write_behind.note(self._mark(room_id, user_id, change, applied.version))
        left = [[user_id, one.exit_at] for user_id, one in changes.items() if one.what == "left"]
        told = {"v": applied.version, "b": applied.before}
        self._pass_on(room_id, told | {"came": came, "went": went, "left": left})

    def _mark(self, room_id: int, user_id: int, change: PendingChange, version: int) -> Mark:
        is_here = change.what == "here"
        return Mark(
            room=room_id,
            user=user_id,
            version=version,
            online=is_here,
            removed=change.what == "left",
            process=self._state.process if is_here else "",
            came_at=change.came_at,
            exit_at=change.exit_at,
            seq=change.seq,
        )

    def _pass_on(self, room_id: int, told: Change) -> None:
        """To our own sockets of the room, and to the other processes."""
        self.hear(room_id, told)
        try:
            self._tell(room_id, told)
        except Exception:
            logger.exception("A change of presence was not told")  # the others' audit finds it

    def hear(self, room_id: int, told: Change) -> None:
        """What a process told, be it another or this one."""
        local = self._state.local
        for user_id, at in told["left"]:
            person = local.get(room_id, user_id)
            if person is None or not 0 < person.version < told["v"]:
                continue
            if person.came_at > at:  # back since, and Redis has just forgotten them
                self.add_here(room_id, user_id, person)
            else:
                local.drop(room_id, user_id)
        for user_id, at in told["went"]:
            if exit := self._exits.later(room_id, user_id, at, self._state.now()):
                mark = Mark(room_id, user_id, told["v"], exit_at=exit.at, seq=exit.seq)
                self._state.write_behind.note(mark)
        if room := self._state.rooms.get(room_id):
            room.hear(told, self._state.now())
            self._state.touch(room)

    # --- a room anew, as Redis has it -----------------------------------------------------------

    def load(self, room: PresenceRoom) -> asyncio.Task[None]:
        if room.loading is None or room.loading.done():
            room.loading = self._state.run(self._load(room))
        return room.loading

    async def _load(self, room: PresenceRoom) -> None:
        state = self._state
        async with self._loads:
            if state.is_stopped or state.redis.is_down:
                return
            try:
                loaded = await state.reach(state.leases.load(room.id))
            except StoreDown:
                return  # the reaper loads it as soon as Redis answers
        room.replace(loaded.people, loaded.version, loaded.now, state.now())
        self._mend(room.id, loaded)
        state.touch(room)

    def _mend(self, room_id: int, loaded: Loaded) -> None:
        """Where Redis and we differ about our own people, we are right."""
        people = self._state.local.of(room_id)
        held = {one for one, by in loaded.held_by.items() if self._state.process in by}
        for user_id in set(people) ^ held:
            if self._pending.open(room_id, user_id):
                continue
            if person := people.get(user_id):
                self.add_here(room_id, user_id, person)
            else:
                self.add(room_id, user_id, PendingChange("gone"))
