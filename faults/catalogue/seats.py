"""C6–C11: a crowd at the door, and what happens to those who hold it."""

import asyncio
import secrets
import signal
import time
from collections import Counter

from faults import judge, rest
from faults.run import Run, scenario
from faults.visitor import Visitor
from faults.witness import watching
from rooms.locks import LEASE_SECONDS

SEATS = 50


async def _all_at_once(run: Run, visitors: list[Visitor]) -> Counter[str]:
    """They come in no order; how many were answered what. Nothing is a seat."""
    shuffled = run.dice.sample(visitors, len(visitors))
    return Counter(await asyncio.gather(*(one.join() for one in shuffled)))


@scenario("C6", "a crowd of three or ten times the seats, at both workers at once", seeds=30)
async def crowd_at_the_door(run: Run) -> None:
    for _ in range(1 if run.is_full else 3):
        room, visitors = await run.visitors(500 if run.is_full else 150, SEATS)
        run.nemesis.begin("crowd", str(room))
        async with watching(run, room):
            answers = await _all_at_once(run, visitors)
        run.nemesis.end("crowd", str(room))
        await run.judge_visitors(room, visitors, expected=SEATS)
        run.counts["oversub"] += max(0, answers[""] - SEATS)
        run.counts["unconverged"] += len(visitors) - answers[""] - answers["room_full"]
