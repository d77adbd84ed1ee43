"""N1–N6 and N13: lines that are idle, slow, dead or cut."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from functools import partial
from uuid import uuid4

from faults import judge, processes
from faults.crowd import Crowd
from faults.guest import Guest
from faults.member import Member
from faults.proxy import Proxy
from faults.run import Run, scenario
from faults.stalled import Stalled, evictions
from messaging.live.close_codes import CloseCode

PAGE = "\N{SLIGHTLY SMILING FACE}" * 3_900  # 15.2 KiB, as long as a message may be
MIB = 1024 * 1024
GONE_WITHIN = 60.0  # seconds; then it counts as never
DRIP = 2048  # bytes a second
CUTS_AT_ONCE = 8


@scenario("N1", "sockets that say nothing", seeds=1)
async def idle(run: Run) -> None:
    """Every other one only listens to its room; the others have not even asked for that."""
    people = await asyncio.to_thread(run.site.take, 40)
    room, ports = run.site.room(people), run.site.ports
    visitors = [
        await Guest.come(f"idle{number}", person, ports[number // 2 % len(ports)], run.history)
        for number, person in enumerate(people)
    ]
    listeners = visitors[::2]
    for visitor in listeners:
        await visitor.ask(type="subscribe", room=room)
    await asyncio.sleep(900 if run.is_full else 17)
    run.bound("closed", 0, sum(visitor.gone.is_set() for visitor in visitors), unit="")
    seq = await visitors[1].say(room, "is anybody there?")
    for visitor in listeners:
        run.counts["lost_delivery"] += not await visitor.until(partial(visitor.lines.get, room))
        run.operations["shown"] += len(visitor.lines[room])
    await visitors[1].ask(type="subscribe", room=room, after=seq)
    await visitors[1].until(lambda: visitors[1].frames[-1]["type"] == "presence")
    here = {one.person.id for one in [*listeners, visitors[1]]}
    shown = [one["id"] for one in visitors[1].frames[-1].get("here", [])]
    run.counts += judge.presence(shown, here)
    for visitor in visitors:
        visitor.go()


@scenario(
    "N2", "clients that never read, in a room that gets much", environment={"LOG_LEVEL": "INFO"}
)
async def never_reads(run: Run) -> None:
    """The second devices of some of its members stall, all of them at one worker."""
    crowd = await run.crowd(2, 6)
    site, size = run.site, 64 if run.is_full else 8  # MiB
    worker = site.workers[0].process
    usual = await _memory_while(run, _flood(crowd, 4))
    stalled = [
        await asyncio.to_thread(Stalled, site.ports[0], member.person, crowd.room)
        for member in crowd.listeners
    ]
    before = evictions(worker.log)
    run.nemesis.begin("never read")
    flood = asyncio.create_task(_memory_while(run, _flood(crowd, size)))
    waits_from = await _when_heard(crowd, MIB)
    while (evicted := evictions(worker.log) - before) < len(stalled):
        if time.monotonic() > waits_from + GONE_WITHIN:
            break
        await asyncio.sleep(0.02)
    run.bound("evicted", 10, time.monotonic() - waits_from)
    code = await asyncio.to_thread(stalled[0].read_to_the_end)  # it wakes up, and is told why
    run.bound("not_told_4008", 0, int(code != CloseCode.TOO_SLOW), unit="")
    while not all(one.is_cut for one in stalled[1:]) and time.monotonic() < waits_from + 60:
        await asyncio.sleep(0.02)
    run.bound("cut", 10, time.monotonic() - waits_from)
    most = await flood
    run.nemesis.end("never read")
    for one in stalled:
        one.close()
    await crowd.settle()
    await run.judge(crowd)
    run.note("evicted", evicted)
    run.bound("memory_each", 5, max(0, most - usual) / len(stalled), unit="MiB")
    run.bound("others_closed", 0, sum(len(one.closes) for one in crowd.all), unit="")


@scenario("N3", "clients on lines of 2 KiB a second, in a room that gets much")
async def drips(run: Run) -> None:
    """They are closed, or served late; afterwards they have it all."""
    door = run.site.doors[0]
    crowd = await run.crowd(2, 6, ports=run.site.ports, listen_at=[door.port])
    size = 32 if run.is_full else 8
    usual = await _memory_while(run, _flood(crowd, size))  # that much, to lines that take it
    run.nemesis.begin("drip", "door 0")
    door.be(drip=DRIP)
    most = await _memory_while(run, _flood(crowd, size))
    await asyncio.gather(*(one.talk(100, pause=0.05) for one in crowd.senders))
    await asyncio.sleep(60 if run.is_full else 3)
    most = max(most, processes.memory(run.site.workers[0].process.pid))
    door.mend()
    run.nemesis.end("drip", "door 0")
    await crowd.settle()
    await run.judge(crowd)
    run.bound("t_caught_up", 60)
    run.bound("memory_each", 5, max(0, most - usual) / len(crowd.listeners), unit="MiB")


async def _flood(crowd: Crowd, size: int) -> None:
    """That many MiB of messages."""
    each = size * MIB // len(PAGE.encode()) // len(crowd.senders)
    await asyncio.gather(*(one.talk(each, also=PAGE) for one in crowd.senders))


async def _memory_while(run: Run, work: Awaitable[None]) -> float:
    """The most that worker 0 had meanwhile, in MiB."""
    pid = run.site.workers[0].process.pid
    async with processes.watched(pid) as watch:
        await work
    return watch[pid].most_memory


async def _when_heard(crowd: Crowd, size: int) -> float:
    """When the room has had that many bytes more. So much waits for who takes nothing; a little
    later really, for the kernel takes its part."""
    until = len(crowd.listeners[0].shown) + size // len(PAGE.encode())
    while len(crowd.listeners[0].shown) < until:
        await asyncio.sleep(0.005)
    return time.monotonic()


# --- dead lines ---------------------------------------------------------------------------------


@scenario("N4", "clients that vanish without a word", seeds=2, short=False)
async def half_open(run: Run) -> None:
    """A black hole, and behind it they are gone: only the server's own ping can tell."""
    site, worker = run.site, run.site.workers[0].process
    crowd = await run.crowd(2, 4, ports=site.ports[1:], spare=40 if run.is_full else 10)
    held = processes.connections(worker.pid, site.ports[0])
    door = site.door_ports[:1]
    lost = [
        Member(f"lost{number}", person, crowd.room, door, run.history, run.dice)
        for number, person in enumerate(crowd.spare)
    ]
    await asyncio.gather(*(member.come() for member in lost))
    async with crowd.talking(1500, pause=0.02):
        run.nemesis.begin("black hole", "door 0")
        site.doors[0].black_hole()
        began = time.monotonic()
        for member in lost:
            await member.go()
        while processes.connections(worker.pid, site.ports[0]) > held:
            if time.monotonic() > began + GONE_WITHIN:
                break
            await asyncio.sleep(0.05)
        run.bound("closed", 45, time.monotonic() - began)
        left = processes.connections(worker.pid, site.ports[0]) - held
        run.bound("descriptors_left", 0, left, unit="")
        here = {member.person.id for member in crowd.all}
        while any(one.presence.keys() != here for one in crowd.all):
            if time.monotonic() > began + GONE_WITHIN:
                break
            await asyncio.sleep(0.05)
        run.bound("left", 60, time.monotonic() - began)
        site.doors[0].mend()
        run.nemesis.end("black hole", "door 0")
    await run.judge(crowd)
    await run.judge_presence(crowd)


@scenario("N5", "a server that vanishes without a word", short=False)
async def half_open_server(run: Run) -> None:
    """Who is at the door of worker 0 gets no answer to its ping, and goes to the other one."""
    site = run.site
    crowd = await run.crowd(4, 8, ports=site.door_ports)
    cut_off = crowd.all[::2]  # those at the first door
    async with crowd.talking(1200 if run.is_full else 400, pause=0.03):
        await asyncio.sleep(1)
        run.nemesis.begin("black hole", "door 0")
        site.doors[0].black_hole()
        run.bound("moved", 45, await crowd.moved(cut_off, GONE_WITHIN))
        run.nemesis.end("black hole", "door 0")
    site.doors[0].mend()
    await run.judge(crowd)
    await run.judge_presence(crowd)


@scenario("N13", "lines on which nothing more comes, and something may still be said")
async def half_closed(run: Run) -> None:
    """The server ends what a client has ended, and the client, who knows nothing, comes back."""
    crowd = await run.crowd(4, 8, ports=run.site.door_ports)
    pauses = run.pauses(4, 0.5, 1.5)
    async with crowd.talking(400 if run.is_full else 250, pause=0.03):
        for number, pause in enumerate(pauses):
            await asyncio.sleep(pause)
            cut_off = crowd.all[number % 2 :: 2]
            run.nemesis.half_close(run.site.doors[number % 2])
            run.bound("moved", 5, await crowd.moved(cut_off, GONE_WITHIN))
    await run.judge(crowd)
    await run.judge_presence(crowd)
    run.bound("t_recover", 5)


# --- cut lines ----------------------------------------------------------------------------------


@scenario("N6", "lines that are reset after each byte of a message and of its answer", seeds=2)
async def cut_frames(run: Run) -> None:
    crowd = await run.crowd(1, 4)
    up, down = await _sizes(run, crowd)
    cuts = [{"cut_up": size} for size in range(1, up + 1)]
    cuts += [{"cut_down": size} for size in range(1, down + 1)]
    run.dice.shuffle(cuts)
    said: dict[str, str] = {}
    for first in range(0, len(cuts), CUTS_AT_ONCE):
        some = cuts[first : first + CUTS_AT_ONCE]
        await asyncio.gather(*(_say_cut(run, crowd, said, cut) for cut in some))
    await crowd.settle()
    await run.judge(crowd)
    stored = await asyncio.to_thread(run.site.rows, BODIES, crowd.room)
    run.counts["phantom"] += sum(said.get(cid) != body for cid, body in stored)
    run.note("cuts", {"up": up, "down": down})


BODIES = "SELECT client_id::text, body FROM messaging_event WHERE room_id = %s AND kind = 'message'"


async def _sizes(run: Run, crowd: Crowd) -> tuple[int, int]:
    """Of a message and of its answer, in bytes on the wire; it is said in another room."""
    person = crowd.senders[0].person
    room = run.site.room([person])
    async with _line(run) as proxy:
        visitor = await Guest.come("measure", person, proxy.port, run.history)
        await visitor.ask(type="ping")
        proxy.be()
        await visitor.say(room, _text("up", 1))
        (connection,) = proxy.connections
        visitor.go()
        return connection.up, connection.down


async def _say_cut(run: Run, crowd: Crowd, said: dict[str, str], cut: dict[str, int]) -> None:
    """And then again, as the page does it: with the same id, on a line that is whole."""
    ((where, size),) = cut.items()
    sender, cid, fault = crowd.senders[0], str(uuid4()), f"{where} {size}"
    said[cid] = _text(where, size)
    async with _line(run) as proxy:
        visitor = await Guest.come(sender.name, sender.person, proxy.port, run.history)
        await visitor.ask(type="ping")
        run.nemesis.begin(fault)
        proxy.be(**cut)
        try:
            await visitor.say(crowd.room, said[cid], cid)
        except ConnectionError:
            run.history.add(sender.name, "send", "info", room=crowd.room, cid=cid, note=fault)
        run.nemesis.end(fault)
        visitor.go()
    await sender.say(said[cid], cid)


def _text(where: str, size: int) -> str:
    """All of one length."""
    return f"{where:_>8} {size:04}"


@asynccontextmanager
async def _line(run: Run) -> AsyncIterator[Proxy]:
    """One of its own, to one of the workers."""
    port = run.dice.choice(run.site.ports)
    proxy = Proxy(lambda: asyncio.open_connection("127.0.0.1", port))
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
