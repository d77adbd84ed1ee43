"""Somebody at a room's door: joins and leaves over REST, at the worker that answers.

Every step goes into the history, and what nobody knows the outcome of is asked again.
"""

import asyncio
import random

from bench.ours import Person
from faults import judge, rest
from faults.run import Run

ANSWER_WITHIN = 25.0  # seconds; a crowded door may take SEAT_WAIT_SECONDS, a held row 10 s more
TRIES = 20
UNKNOWN = "unknown"


class Visitor:
    def __init__(self, run: Run, person: Person, room: int, first: int = 0) -> None:
        """Asks that worker first."""
        self.name, self.person, self.room = f"visitor {person.id}", person, room
        self.ports = [*run.site.ports[first:], *run.site.ports[:first]]
        self.history, self.dice = run.history, random.Random(run.dice.random())

    async def join(self) -> str:
        """Nothing once seated, else why not."""
        return await self._ask("join", "PUT")

    async def leave(self) -> str:
        """Nothing once the seat is given back, else why not: `not_found` without a seat."""
        return await self._ask("leave", "DELETE")

    async def come_and_go(self, seconds: float) -> None:
        """Stay for a moment, leave, and come again, for that long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until:
            if not await self.join():
                await asyncio.sleep(self.dice.uniform(0, 0.3))
                await self.leave()
            await asyncio.sleep(self.dice.uniform(0.05, 0.3))

    async def _ask(self, op: str, method: str) -> str:
        path = f"/api/v1/rooms/{self.room}/membership/"
        for attempt in range(TRIES):
            self._tell(op, "invoke")
            port = self.ports[attempt % len(self.ports)]
            try:
                answer = await rest.ask(port, method, path, self.person, within=ANSWER_WITHIN)
            except rest.LOST as error:
                self._tell(op, "info", f"{type(error).__name__}: {error}"[:80])
            else:
                if answer.status < 300:
                    self._tell(op, "ok", str(answer.status))
                    return ""
                if answer.status < 500:
                    self._tell(op, "fail", answer.code)
                    return answer.code
                self._tell(op, "info", str(answer.status))
            await asyncio.sleep(self.dice.uniform(0.05, 0.5))
        return UNKNOWN

    def _tell(self, op: str, phase: str, note: str = "") -> None:
        self.history.add(self.name, op, phase, room=self.room, note=note)


async def visitors(run: Run, count: int, capacity: int) -> tuple[int, list[Visitor]]:
    """At a fresh room without anybody; the first of them owns it."""
    people = await asyncio.to_thread(run.site.take, count)
    room = run.site.empty_room(people[0], capacity)
    workers = len(run.site.ports)
    return room, [Visitor(run, one, room, n % workers) for n, one in enumerate(people)]


async def judge_visitors(
    run: Run, room: int, visitors: list[Visitor], *, seated: int = 0, expected: int | None = None
) -> None:
    """The seats, and what each was told of theirs."""
    await run.judge_seats(room, seated=seated, expected=expected)
    held = await asyncio.to_thread(
        run.site.rows, "SELECT user_id FROM rooms_membership WHERE room_id = %s", room
    )
    has_seat = {user_id for (user_id,) in held}
    names = {one.name: one.person.id in has_seat for one in visitors}
    run.counts += judge.told(run.history, room, names)
