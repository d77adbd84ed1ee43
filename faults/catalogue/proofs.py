"""Proofs that the harness sees what it looks for: a safeguard is taken away, and it must tell."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from faults import failing, rest
from faults.run import Run, scenario
from faults.site import Site


@scenario(
    "W1", "holes are not filled, and Redis dies", told=("order_err", "lost_delivery"),
    short=False, environment=failing("no_gap_fill"),
)  # fmt: skip
async def no_gap_fill(run: Run) -> None:
    crowd = await run.crowd(6, 6)
    async with crowd.talking(150, pause=0.02):
        await asyncio.sleep(1)
        async with run.nemesis.without("redis"):
            await asyncio.sleep(1)
    await run.judge(crowd)


@scenario("W2", "the index that keeps a message single is gone", told=("dup_stored",))
async def no_unique_index(run: Run) -> None:
    """Lines break again and again; who was not answered says it again."""
    crowd = await run.crowd(6, 4, ports=run.site.door_ports)
    async with _without_index(run.site, "message_sent_once", crowd.room):
        async with crowd.talking(150, pause=0.005):
            for pause in run.pauses(20, 0.05, 0.2):
                await asyncio.sleep(pause)
                run.nemesis.reset(*run.site.doors)
        await run.judge(crowd)


@asynccontextmanager
async def _without_index(site: Site, name: str, room: int) -> AsyncIterator[None]:
    ((made,),) = site.rows("SELECT pg_get_indexdef(%s::regclass)", name)
    site.change(f"DROP INDEX {name}")
    try:
        yield
    finally:  # with what that room has twice it could not be made again
        site.change(f"DELETE FROM messaging_event WHERE room_id = {room}")
        site.change(f"UPDATE rooms_room SET last_seq = 0 WHERE id = {room}")
        for table in ("messaging_followerposition", "messaging_lastmessage"):
            site.change(f"DELETE FROM {table} WHERE room_id = {room}")
        site.change(made)


@scenario(
    "W3", "nobody looks at the seats", told=("oversub",), environment=failing("no_seat_check")
)
async def no_seat_check(run: Run) -> None:
    people = await asyncio.to_thread(run.site.take, 60)
    room = run.site.room(people[:1], capacity=20)
    path = f"/api/v1/rooms/{room}/membership/"
    constraint = "room_member_count_within_capacity"
    async with _without_check(run.site, "rooms_room", constraint, room):
        run.nemesis.begin("a crowd")
        ports = run.site.ports
        joins = [
            rest.ask(ports[number % len(ports)], "PUT", path, person)
            for number, person in enumerate(people[1:])
        ]
        await asyncio.gather(*joins)
        run.nemesis.end("a crowd")
        await run.judge_seats(room, seated=1)


@asynccontextmanager
async def _without_check(site: Site, table: str, name: str, room: int) -> AsyncIterator[None]:
    ((made,),) = site.rows(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", name
    )
    site.change(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    try:
        yield
    finally:
        site.change(f"DELETE FROM rooms_membership WHERE room_id = {room}")
        site.change(f"UPDATE rooms_room SET personnel = 0 WHERE id = {room}")
        site.change(f"ALTER TABLE {table} ADD CONSTRAINT {name} {made}")
