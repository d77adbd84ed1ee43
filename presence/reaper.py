"""What one process does for all, every few seconds: live, bury the dead, compare, heal."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from presence.last_seen import FAILURES, Mark, Orphan
from presence.pending import PendingChange
from presence.room_state import now_micros

if TYPE_CHECKING:
    from presence.tracker import Tracker

ROOMS_AT_ONCE = 2_000  # of a dead process, between two heartbeats of our own
ORPHANS_AT_ONCE = 500

logger = logging.getLogger(__name__)


class Reaper:
    def __init__(self, here: Tracker):
        self._here = here
        self._beaten = False
        self._taking_over: asyncio.Task[None] | None = None
        self._audited_at = self._orphans_from = float("-inf")

    async def step(self) -> None:
        here = self._here
        here.recovered.clear()
        try:
            live = await self.beat()
        except Exception:
            here.ledger.seen(now_micros())  # MongoDB at least knows that we live
            raise
        if here.now() - self._audited_at >= here.pace.audit:
            self._audited_at = here.now()
            await self._audit()
            if min(live) == here.process:
                self._take_over()
                if here.now() >= self._orphans_from:
                    await self._adopt_orphans(live)
        with suppress(TimeoutError):
            async with asyncio.timeout(here.pace.beat):
                await here.recovered.wait()
                self._audited_at = float("-inf")
                # The others may need as long as we did to come back and say that they live.
                self._orphans_from = here.now() + here.pace.lease

    async def beat(self) -> list[str]:
        here = self._here
        beat = await here.reach(here.leases.beat())
        if self._beaten and not beat.known:
            here.changes.assert_all()
        self._beaten = True
        here.ledger.seen(beat.now)
        for process, last_beat in beat.dead.items():
            await self._reap(process, last_beat)
        return beat.live

    async def _reap(self, process: str, last_beat: int) -> None:
        """Mark a dead process's people gone. Others may do it too, or finish what we began."""
        here = self._here
        room_ids = await here.reach(here.leases.rooms_of(process))
        for room_id in room_ids[:ROOMS_AT_ONCE]:
            applied = await here.reach(here.leases.reap(room_id, process, last_beat))
            if applied is None:
                return
            wishes = {
                user_id: PendingChange("gone", exit_at=last_beat) for user_id in applied.users
            }
            if wishes:
                here.changes.took(room_id, wishes, applied)
        if len(room_ids) <= ROOMS_AT_ONCE:
            await here.reach(here.leases.bury(process, last_beat))

    async def _audit(self) -> None:
        """Notice changes that nobody told us, or that were lost on the way."""
        here = self._here
        room_ids = list(here.rooms)
        versions = await here.reach(here.leases.versions(room_ids))
        for room_id, version in zip(room_ids, versions, strict=True):
            room = here.rooms.get(room_id)
            if room and not room.loaded:
                here.load(room)
            elif room and room.version != version and room.gap_since is None:
                room.gap_since = here.now()  # the change may be on its way
                here.touch(room)

    def _take_over(self) -> None:
        """It may take longer than a heartbeat."""
        if self._taking_over is None or self._taking_over.done():
            self._taking_over = self._here.run(self._store_farewells())

    async def _store_farewells(self) -> None:
        try:
            await self._here.ledger.take_over()
        except FAILURES as error:
            logger.info("Farewells of others are still to be stored: %s", error)
        except Exception:
            logger.exception("Farewells of others could not be stored")

    async def _adopt_orphans(self, live: list[str]) -> None:
        """For documents whose process died unnoticed, as when all did and Redis lost its data."""
        here = self._here
        beat = await here.reach(here.leases.beat())
        before = beat.now - int(here.pace.lease * 1_000_000)
        with suppress(*FAILURES):  # the ledger notices, too, and says so
            for orphan in await here.ledger.orphans(live, before, ORPHANS_AT_ONCE):
                await self._adopt(orphan)

    async def _adopt(self, orphan: Orphan) -> None:
        here = self._here
        loaded = await here.reach(here.leases.load(orphan.room))
        holders = loaded.held_by.get(orphan.user, [])
        here.ledger.note(
            Mark(
                room=orphan.room,
                user=orphan.user,
                version=max(loaded.version or loaded.now, orphan.version),
                online=bool(holders),
                process=holders[0] if holders else "",
                exit_at=0 if holders else orphan.exit_at,
            )
        )
