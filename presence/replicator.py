"""Tells Redis of our people; and what it took, MongoDB, the other processes and our sockets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from presence.last_seen import Mark
from presence.leases import PEOPLE_AT_ONCE, Applied, Loaded
from presence.local import LocalPerson
from presence.pending import Batch, PendingChange, PendingChanges

if TYPE_CHECKING:
    from presence.tracker import Tracker


class Replicator:
    def __init__(self, here: Tracker):
        self._here = here
        self._wishes = PendingChanges(PEOPLE_AT_ONCE)
        self._stirred = asyncio.Event()

    def stir(self) -> None:
        self._stirred.set()

    def wish(self, room_id: int, user_id: int, wish: PendingChange) -> None:
        self._wishes.add(room_id, user_id, wish)
        self.stir()

    def wish_here(self, room_id: int, user_id: int, visitor: LocalPerson) -> None:
        self.wish(room_id, user_id, PendingChange("here", visitor.name, came_at=visitor.came_at))

    def assert_all(self) -> None:
        """Redis or MongoDB has lost what we said: say all of it again."""
        for room_id, user_id, visitor in self._here.visitors.all():
            self.wish_here(room_id, user_id, visitor)

    def mend(self, room_id: int, loaded: Loaded) -> None:
        """Where Redis and we differ about our own people, we are right."""
        visitors = self._here.visitors.of(room_id)
        held = {one for one, by in loaded.held_by.items() if self._here.process in by}
        for user_id in set(visitors) ^ held:
            if self._wishes.open(room_id, user_id):
                continue
            if visitor := visitors.get(user_id):
                self.wish_here(room_id, user_id, visitor)
            else:
                self.wish(room_id, user_id, PendingChange("gone"))

    async def step(self) -> None:
        await self._stirred.wait()
        await asyncio.sleep(self._here.pace.gather)
        self._stirred.clear()
        try:
            await self.flush()
        finally:
            if self._wishes or self._here.visitors.waiting:
                self.stir()

    async def flush(self) -> None:
        here = self._here
        for room_id, user_id, visitor in here.visitors.gone(here.now()):
            self.wish(
                room_id, user_id, PendingChange("gone", exit_at=visitor.exit_at, seq=visitor.seq)
            )
        while self._wishes:
            batch = dict(self._wishes.take())
            try:
                strange = await self._flush_batch(batch)
            finally:
                self._wishes.put_back()
            if strange:  # silent for longer than our lease: the others think us dead
                await here.upkeep.beat()

    def took(self, room_id: int, wishes: dict[int, PendingChange], applied: Applied) -> None:
        """Redis knows it: now everybody else may."""
        came: list[Any] = []
        went: list[Any] = []
        for (user_id, wish), elsewhere in zip(wishes.items(), applied.elsewhere, strict=True):
            visitor = self._here.visitors.get(room_id, user_id)
            if visitor and wish.what == "here":
                visitor.version = applied.version
            if elsewhere and wish.what != "left" and not wish.is_renamed:
                continue
            if wish.what == "here":
                came.append([user_id, wish.name])
            else:
                went.append([user_id, wish.exit_at or applied.version])  # which is a time, too
            self._here.ledger.note(self._mark(room_id, user_id, wish, applied.version))
        left = [[user_id, one.exit_at] for user_id, one in wishes.items() if one.what == "left"]
        change = {"v": applied.version, "b": applied.before}
        self._here.pass_on(room_id, change | {"came": came, "went": went, "left": left})

    async def _flush_batch(self, batch: Batch) -> bool:
        here = self._here
        rooms = [
            (
                room_id,
                bool(here.visitors.of(room_id)) or self._wishes.keeps(room_id),
                [(wish.what, user_id, wish.name) for user_id, wish in wishes.items()],
            )
            for room_id, wishes in batch.items()
        ]
        answers = await here.reach(here.leases.apply(rooms))
        for room_id, applied in answers:
            if applied:
                self._wishes.done(room_id)
                self.took(room_id, batch[room_id], applied)
        return any(applied is None for _, applied in answers)

    def _mark(self, room_id: int, user_id: int, wish: PendingChange, version: int) -> Mark:
        here = wish.what == "here"
        return Mark(
            room=room_id,
            user=user_id,
            version=version,
            online=here,
            removed=wish.what == "left",
            process=self._here.process if here else "",
            came_at=wish.came_at,
            exit_at=wish.exit_at,
            seq=wish.seq,
        )
