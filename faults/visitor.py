"""Somebody at a room's door: joins and leaves over REST, at the worker that answers. Every step goes
into the history, and what nobody knows the outcome of is asked again."""

import asyncio
import random

from bench.ours import Person
from faults import rest
from faults.history import History

ANSWER_WITHIN = 25.0  # seconds; a crowded door may take SEAT_WAIT_SECONDS, a held row 10 s more
TRIES = 20
LOST = (OSError, TimeoutError, EOFError)
UNKNOWN = "unknown"


class Visitor:
    def __init__(
        self, person: Person, room: int, ports: list[int], history: History, dice: random.Random
    ) -> None:
        self.name, self.person, self.room = f"visitor {person.id}", person, room
        self.ports, self.history = ports, history
        self.dice = random.Random(dice.random())

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
            except LOST as error:
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
