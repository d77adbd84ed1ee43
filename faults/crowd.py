"""The members of a room: they come, talk, and in the end have all there is."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bench.ours import Person
from faults.member import Member
from faults.site import Site

QUIET_SECONDS = 5.5  # workers compare their heads every 5 s: what comes late or twice comes by then
COMPLETE_WITHIN = 120.0  # seconds; then it counts as lost


@dataclass
class Crowd:
    """A room, and members who stay in it. What does not come to rest is counted in `counts`."""

    site: Site
    counts: Counter[str]
    room: int
    senders: list[Member]
    listeners: list[Member]
    spare: list[Person] = field(default_factory=list)  # seated, and none of its members plays them

    @property
    def all(self) -> list[Member]:
        return [*self.senders, *self.listeners]

    async def come(self) -> None:
        async with asyncio.timeout(COMPLETE_WITHIN):
            await asyncio.gather(*(member.come() for member in self.all))

    @asynccontextmanager
    async def talking(self, each: int, window: int = 4, pause: float = 0.02) -> AsyncIterator[None]:
        """All senders say that many messages, meanwhile the block runs; then all is quiet."""
        talks = [asyncio.create_task(one.talk(each, window, pause)) for one in self.senders]
        try:
            yield
            await asyncio.wait(talks, timeout=COMPLETE_WITHIN)
            self.counts["unconverged"] += sum(not talk.done() for talk in talks)
            for talk in talks:
                if talk.done():
                    talk.result()
        finally:
            for talk in talks:
                talk.cancel()
        await self.settle()

    async def settle(self) -> None:
        """Until everybody is connected and has all there is, and then some."""
        deadline = time.monotonic() + COMPLETE_WITHIN
        while not await self._is_complete() and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        await asyncio.sleep(QUIET_SECONDS)
        self.counts["unconverged"] += sum(not member.is_connected for member in self.all)

    async def _is_complete(self) -> bool:
        ((head,),) = await asyncio.to_thread(
            self.site.rows, "SELECT last_seq FROM rooms_room WHERE id = %s", self.room
        )
        return all(
            member.is_connected and not member.waiting and member.last >= head
            for member in self.all
        )

    async def moved(self, members: list[Member], within: float) -> float:
        """Seconds until each of them has come anew, or until the time is up."""
        came, began = {member.name: member.came for member in members}, time.monotonic()
        while not all(one.is_connected and one.came > came[one.name] for one in members):
            if time.monotonic() > began + within:
                break
            await asyncio.sleep(0.05)
        return time.monotonic() - began

    async def go(self) -> None:
        await asyncio.gather(*(member.go() for member in self.all))
