"""What one process does for all, every few seconds: live, bury the dead, compare, heal."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from presence.last_seen import FAILURES, Orphan
from presence.marks import Mark
from presence.pending import PendingChange
from presence.replicator import Replicator
from presence.room_state import now_micros
from presence.state import PresenceState

ROOMS_AT_ONCE = 2_000  # of a dead process, between two heartbeats of our own
ORPHANS_AT_ONCE = 500

logger = logging.getLogger(__name__)


class Reaper:
    def __init__(self, state: PresenceState, replicator: Replicator) -> None:
        self._state, self._replicator = state, replicator
        self._has_beaten = False
        self._taking_over: asyncio.Task[None] | None = None
        self._audited_at = self._orphans_from = float("-inf")

    async def step(self) -> None:
        state = self._state
        state.recovered.clear()
        try:
            live = await self.beat()
        except Exception:
            state.write_behind.seen(now_micros())  # MongoDB at least knows that we live
            raise
        if state.now() - self._audited_at >= state.timings.audit:
            self._audited_at = state.now()
            await self._audit()
            if min(live) == state.process:
                self._take_over()
                if state.now() >= self._orphans_from:
                    await self._adopt_orphans(live)
        with suppress(TimeoutError):
            async with asyncio.timeout(state.timings.beat):
                await state.recovered.wait()
                self._audited_at = float("-inf")
                # The others may need as long as we did to come back and say that they live.
                self._orphans_from = state.now() + state.timings.lease

    async def beat(self) -> list[str]:
        """Say that this process lives, and bury those that no longer do; answers who lives."""
        state = self._state
        beat = await state.reach(state.leases.beat())
        if self._has_beaten and not beat.known:
            self._replicator.assert_all()
        self._has_beaten = True
        state.write_behind.seen(beat.now)
        for process, last_beat in beat.dead.items():
            await self._reap(process, last_beat)
        return beat.live

    async def _reap(self, process: str, last_beat: int) -> None:
        """Mark a dead process's people gone. Others may do it too, or finish what we began."""
        state = self._state
        room_ids = await state.reach(state.leases.rooms_of(process))
        for room_id in room_ids[:ROOMS_AT_ONCE]:
            applied = await state.reach(state.leases.reap(room_id, process, last_beat))
            if applied is None:
                return
            gone = PendingChange("gone", exit_at=last_beat)
            if applied.users:
                self._replicator.took(room_id, dict.fromkeys(applied.users, gone), applied)
        if len(room_ids) <= ROOMS_AT_ONCE:
            await state.reach(state.leases.bury(process, last_beat))

    async def _audit(self) -> None:
        """Notice changes that nobody told us, or that were lost on the way."""
        state = self._state
        room_ids = list(state.rooms)
        versions = await state.reach(state.leases.versions(room_ids))
        for room_id, version in zip(room_ids, versions, strict=True):
            room = state.rooms.get(room_id)
            if room and not room.loaded:
                self._replicator.load(room)
            elif room and room.version != version and room.gap_since is None:
                room.gap_since = state.now()  # the change may be on its way
                state.touch(room)

    def _take_over(self) -> None:
        """It may take longer than a heartbeat."""
        if self._taking_over is None or self._taking_over.done():
            self._taking_over = self._state.run(self._store_farewells())

    async def _store_farewells(self) -> None:
        try:
            await self._state.write_behind.take_over()
        except FAILURES as error:
            logger.info("Farewells of others are still to be stored: %s", error)
        except Exception:
            logger.exception("Farewells of others could not be stored")

    async def _adopt_orphans(self, live: list[str]) -> None:
        """For documents whose process died unnoticed, as when all did and Redis lost its data."""
        state = self._state
        beat = await state.reach(state.leases.beat())
        before = beat.now - int(state.timings.lease * 1_000_000)
        with suppress(*FAILURES):  # write-behind notices, too, and says so
            for orphan in await state.write_behind.orphans(live, before, ORPHANS_AT_ONCE):
                await self._adopt(orphan)

    async def _adopt(self, orphan: Orphan) -> None:
        state = self._state
        loaded = await state.reach(state.leases.load(orphan.room))
        holders = loaded.held_by.get(orphan.user, [])
        state.write_behind.note(
            Mark(
                room=orphan.room,
                user=orphan.user,
                version=max(loaded.version or loaded.now, orphan.version),
                online=bool(holders),
                process=holders[0] if holders else "",
                exit_at=0 if holders else orphan.exit_at,
            )
        )
