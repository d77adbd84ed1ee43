"""K1, K2: Kafka, and what writes to it and reads from it, die while people talk."""

import asyncio
import json
import time

from faults.kafka import Beside, beside
from faults.nemesis import IMMEDIATE
from faults.run import Run, scenario

SAID = """
SELECT body FROM messaging_event WHERE room_id = %s AND kind = 'message' ORDER BY seq"""
DONE_WITHIN = 60.0  # seconds; then it counts as lost


def deaths(run: Run) -> list[str]:
    """Of what, one after the other."""
    often, seldom = (20, 5) if run.is_full else (4, 1)
    names = ["command"] * often + ["broker", "postgresql"] * seldom
    run.dice.shuffle(names)
    return names


async def die(run: Run, kafka: Beside) -> None:
    for name in deaths(run):
        await asyncio.sleep(run.dice.uniform(0.5, 4.0))  # it takes 2 s to start
        if name == "command":
            kafka.kill_command(run)
        elif name == "broker":
            await kafka.kill_broker(run)
        else:
            async with run.nemesis.without("postgresql", IMMEDIATE):
                await asyncio.sleep(run.dice.uniform(0, 1))


@scenario("K1", "kill -9 of the relay, of Kafka's broker and of PostgreSQL", seeds=3, short=False)
async def relay_killed(run: Run) -> None:
    """The rows of PostgreSQL are the records of Kafka: each once, those of a room in order."""
    crowd = await run.crowd(4, 2)
    async with beside(run, "relay") as kafka:
        async with crowd.talking(1_500 if run.is_full else 250, pause=0.04):
            await die(run, kafka)
        await run.judge(crowd)
        await kafka.judge_relayed(run)


@scenario("K2", "kill -9 of ingest, of Kafka's broker and of PostgreSQL", seeds=3, short=False)
async def ingest_killed(run: Run) -> None:
    """Each command is done once, and in order; none is refused."""
    [person] = await asyncio.to_thread(run.site.take, 1)
    room = run.site.room([person], 2)
    wanted = [f"command {number}" for number in range(2_000 if run.is_full else 300)]
    commands = [
        json.dumps({"version": 1, "type": "post", "room": room, "sender": person.id, "body": body})
        for body in wanted
    ]
    async with beside(run, "ingest") as kafka:
        sending = asyncio.create_task(kafka.send("chattalk.commands", str(room), commands))
        await die(run, kafka)
        await sending
        said = await _stored(run, room, len(wanted))
        refused = await kafka.read("chattalk.commands.refusals")
    run.counts["lost_durable"] += len(set(wanted) - set(said))
    run.counts["dup_stored"] += len(said) - len(set(said))
    run.counts["order_err"] += said != [body for body in wanted if body in set(said)]
    run.counts["unhandled"] += len(refused)
    run.operations["commands"] += len(wanted)


async def _stored(run: Run, room: int, many: int) -> list[str]:
    until, found = time.monotonic() + DONE_WITHIN, list[str]()
    while len(found) < many and time.monotonic() < until:
        await asyncio.sleep(0.2)
        found = [body for (body,) in await asyncio.to_thread(run.site.rows, SAID, room)]
    return found
