"""B1, B2: what servers of others lose under the same faults and the same, light, load.

They are as their own guides have them, with messages kept in PostgreSQL. Their clients come back
when cut off, as ours do. What counts is what was stored and not shown.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg

from bench.peers import Absent as NotThere
from bench.peers import socket_io, tutorial
from bench.servers import Servers
from faults.peer import Chatter, SocketIOChatter
from faults.run import Run, scenario

MEMBERS, TALKERS = 8, 4
EACH, PAUSE = 60, 0.1  # messages, and seconds between two
QUIET_SECONDS = 6.0
PEERS: dict[str, tuple[Callable[[], Any], type[Chatter], str]] = {
    "Channels tutorial, pub/sub layer": (
        tutorial.Uvicorn, Chatter, "SELECT body FROM channels_tutorial_message",
    ),
    "Channels tutorial, queue layer": (
        tutorial.Daphne, Chatter, "SELECT body FROM channels_tutorial_message",
    ),
    "Socket.IO, Redis adapter": (socket_io.SocketIO, SocketIOChatter, "SELECT body FROM message"),
}  # fmt: skip


@scenario("B1", "beside others: Redis is killed, and back after a second", short=False)
async def redis_killed(run: Run) -> None:
    async def fault(_cuts: list[Callable[[], None]]) -> None:
        await asyncio.sleep(2)
        async with run.nemesis.without("redis"):
            await asyncio.sleep(1)

    await _beside(run, fault)


@scenario("B2", "beside others: each line is cut once, at another moment", short=False)
async def lines_cut(run: Run) -> None:
    pauses = run.pauses(MEMBERS, 0.2, 0.6)

    async def fault(cuts: list[Callable[[], None]]) -> None:
        for pause, cut in zip(pauses, cuts, strict=True):
            await asyncio.sleep(pause)
            run.nemesis.begin("cut")
            cut()
            run.nemesis.end("cut")

    await _beside(run, fault)


Fault = Callable[[list[Callable[[], None]]], Awaitable[None]]


async def _beside(run: Run, fault: Fault) -> None:
    crowd = await run.crowd(TALKERS, MEMBERS - TALKERS)
    async with crowd.talking(EACH, pause=PAUSE):
        await fault([member.cut for member in crowd.all])
    await run.judge(crowd)
    lost = run.counts["lost_delivery"]
    of = lost + run.operations["shown"]
    log = (await run.room(crowd.room)).log
    stored = sum(line.kind == "message" for line in log)
    run.beside["ChatTalk"] = {"stored": stored, "lost": lost, "of": of}
    faults = run.nemesis.count
    for name, (make, kind, rows) in PEERS.items():
        peer = make()
        try:
            peer.install()
        except NotThere as why:
            run.beside[name] = {"absent": str(why)}
            continue
        run.beside[name] = await _talk(run, peer, kind, rows, fault)
    run.nemesis.count = faults  # the row is ours


async def _talk(
    run: Run, peer: Any, kind: type[Chatter], stored: str, fault: Fault
) -> dict[str, Any]:
    direct = run.site.stores.direct
    peer.start(Servers(direct["postgresql"], direct["redis"], direct["mongodb"], {}))
    chatters = [
        kind(peer.port, peer.path.replace("%s", "faults"), run.dice) for _ in range(MEMBERS)
    ]
    lives = [asyncio.create_task(one.live()) for one in chatters]
    try:
        async with asyncio.timeout(60):
            await asyncio.gather(*(one.open.wait() for one in chatters))
        talks = [
            one.talk(f"{number}", EACH, PAUSE) for number, one in enumerate(chatters[:TALKERS])
        ]
        async with asyncio.timeout(120):
            await asyncio.gather(fault([one.cut for one in chatters]), *talks)
        await asyncio.sleep(QUIET_SECONDS)
        with psycopg.connect(_database(peer, direct["postgresql"])) as database:
            kept = {body for (body,) in database.execute(stored)}
    finally:
        for life in lives:
            life.cancel()
        peer.stop()
    said = {text for one in chatters for text in one.said}
    return {
        "stored": len(kept),
        "lost": sum(len(kept - set(one.shown)) for one in chatters),
        "of": len(kept) * MEMBERS,
        "never_stored": len(said - kept),
    }


def _database(peer: Any, postgres: str) -> str:
    return getattr(peer, "database", None) or postgres.replace("/chattalk?", "/socketio?")
