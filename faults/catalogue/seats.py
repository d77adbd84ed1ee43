"""C6–C11: a crowd at the door, and what happens to those who hold it."""

import asyncio
import secrets
import signal
import time
from collections import Counter
from typing import Any

from bench.ours import Person
from faults import judge, rest, until
from faults.crowd import Crowd
from faults.run import Run, scenario
from faults.visitor import Visitor, judge_visitors, visitors
from faults.witness import watching
from rooms.locks import LEASE_SECONDS

SEATS = 50


async def _all_at_once(run: Run, people: list[Visitor]) -> Counter[str]:
    """They come in no order; how many were answered what. Nothing is a seat."""
    shuffled = run.dice.sample(people, len(people))
    return Counter(await asyncio.gather(*(one.join() for one in shuffled)))


@scenario("C6", "a crowd of three or ten times the seats, at both workers at once", seeds=30)
async def crowd_at_the_door(run: Run) -> None:
    for _ in range(1 if run.is_full else 3):
        room, people = await visitors(run, 500 if run.is_full else 150, SEATS)
        run.nemesis.begin("crowd", str(room))
        async with watching(run, room):
            answers = await _all_at_once(run, people)
        run.nemesis.end("crowd", str(room))
        await judge_visitors(run, room, people, expected=SEATS)
        run.counts["oversub"] += max(0, answers[""] - SEATS)
        run.counts["unconverged"] += len(people) - answers[""] - answers["room_full"]


@scenario("C7", "coming and going at a full room, and workers killed meanwhile", seeds=5)
async def churn(run: Run) -> None:
    """Half as many again as there are seats. In the end all ask once more: no seat has leaked."""
    seats = 30
    room, people = await visitors(run, 45, seats)
    seconds, kills = (60, 8) if run.is_full else (12, 2)
    pauses = run.pauses(kills, 0.5, seconds / kills - 2)
    async with watching(run, room):
        coming = [asyncio.create_task(one.come_and_go(seconds)) for one in people]
        for pause in pauses:
            await asyncio.sleep(pause)
            await run.nemesis.kill_worker(run.dice.randrange(len(run.site.workers)))
        await asyncio.gather(*coming)
        await _all_at_once(run, people)
    await judge_visitors(run, room, people, expected=seats)


@scenario("C8", "one person joins fifty times at once, from five devices", seeds=5)
async def one_person(run: Run) -> None:
    """One seat, one line in the log; here until the last of the devices has gone."""
    room, (visitor, other) = await visitors(run, 2, SEATS)
    sessions = await asyncio.to_thread(run.site.sessions, visitor.person, 5)
    run.nemesis.begin("crowd", str(room))
    devices = [Visitor(run, person, room, n % 2) for n, person in enumerate(sessions)]
    async with watching(run, room):
        answers = Counter(await asyncio.gather(*(one.join() for one in devices * 10)))
        await other.join()
    run.nemesis.end("crowd", str(room))
    run.counts["dup_stored"] += len((await run.room(room)).log) - 2
    run.counts["unconverged"] += 50 - answers[""]
    await judge_visitors(run, room, [visitor, other], expected=2)
    await _here_by_all(run, room, other, [visitor.person, *sessions])


async def _here_by_all(run: Run, room: int, other: Visitor, devices: list[Person]) -> None:
    """They go one by one; the other one is told so once, at the end."""
    watcher = run.member("watcher", other.person, room)
    members = [run.member(f"device {n}", one, room, n % 2) for n, one in enumerate(devices)]
    person, both = devices[0].id, {other.person.id, devices[0].id}
    await asyncio.gather(*(one.come() for one in (watcher, *members)))
    run.counts["missing"] += not await until(lambda: watcher.presence.keys() == both, 10)
    for member in members[:-1]:
        await member.go(goodbye=True)
    await asyncio.sleep(1)  # changes are told four times a second
    run.counts["missing"] += sum(_went(frame, person) for frame in watcher.heard_besides)
    await members[-1].go(goodbye=True)
    run.counts["ghosts"] += not await until(lambda: person not in watcher.presence, 5)
    run.counts["missing"] += other.person.id not in watcher.presence


def _went(frame: dict[str, Any], person: int) -> bool:
    return any(one["id"] == person for one in frame.get("went", ()))


@scenario("C9", "who holds a room's lock dies", seeds=10)
async def holder_dies(run: Run) -> None:
    """A worker at the door has the lock and waits for the room's row when it is killed. The next
    one, at the other worker, enters when the lease ends. Then the same by a lock that nobody is
    left to give back."""
    room, (first, *others) = await visitors(run, 40, 30)
    joining = await _at_the_lock(run, room, first)
    async with watching(run, room):
        waited = asyncio.create_task(_wait(others[0]))
        await run.nemesis.kill_worker(0)
        run.bound("waited_for_the_dead", LEASE_SECONDS + 1, await waited)
        run.nemesis.begin("lock of nobody", str(room))
        lease = str(LEASE_SECONDS * 1000)
        await run.nemesis.redis("SET", _lock(room), secrets.token_hex(16), "PX", lease)
        took = await _wait(others[1])
        run.nemesis.end("lock of nobody", str(room))
        run.bound("waited_for_nobody", LEASE_SECONDS + 1, took)
        await asyncio.gather(joining, _all_at_once(run, others))
    await judge_visitors(run, room, [first, *others], expected=30)


@scenario("C10", "who holds a room's lock stands still for longer than the lease", seeds=10)
async def holder_paused(run: Run) -> None:
    """It has the lock and the room's row, and goes on when others have long been seated. Then the
    same at any moment, in the middle of a crowd."""
    room, (first, *others) = await visitors(run, 100, 30)
    joining = await _at_the_lock(run, room, first)
    pauses = run.pauses(3 if run.is_full else 1, 0.0, 0.4)
    async with watching(run, room):
        pid = run.site.workers[0].process.pid
        async with run.nemesis.still(pid, name="worker 0"):
            there = [one for one in others[:20] if one.ports[0] == run.site.ports[1]]
            await _all_at_once(run, there)
            await asyncio.sleep(LEASE_SECONDS)
        await joining
        for pause in pauses:
            coming = asyncio.create_task(_all_at_once(run, others))
            await asyncio.sleep(pause)
            async with run.nemesis.still(pid, name="worker 0"):
                await asyncio.sleep(LEASE_SECONDS + 1)
            await coming
            await asyncio.gather(*(one.leave() for one in others[::3]))
        await _all_at_once(run, others)
    await judge_visitors(run, room, [first, *others], expected=30)


async def _at_the_lock(run: Run, room: int, visitor: Visitor) -> asyncio.Task[str]:
    """Their worker, the first one, is stopped where it has the lock, and then the room's row."""
    visitor.ports = run.site.ports
    async with run.nemesis.holding(room):
        joining = asyncio.create_task(visitor.join())
        while not await run.nemesis.redis("EXISTS", _lock(room)) or not await asyncio.to_thread(
            run.site.rows, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        ):
            await asyncio.sleep(0.01)
        run.site.workers[0].process.signal(signal.SIGSTOP)
    return joining


async def _wait(visitor: Visitor) -> float:
    """Seconds until they are seated."""
    began = time.monotonic()
    await visitor.join()
    return time.monotonic() - began


def _lock(room: int) -> str:
    return f"chattalk:door:{room}"


@scenario("C11", "a room gets fewer seats and is closed, while people join and talk", seeds=5)
async def smaller_and_closed(run: Run) -> None:
    """Never fewer seats than members; nobody enters or speaks after the end, and who talks is told
    so. Opened again, it goes on."""
    crowd = await run.crowd(4, 4, capacity=60)
    people = await asyncio.to_thread(run.site.take, 48)
    churning = [Visitor(run, one, crowd.room, n % 2) for n, one in enumerate(people[8:])]
    rounds = 4 if run.is_full else 2
    async with watching(run, crowd.room):
        coming = [asyncio.create_task(one.come_and_go(rounds * 3 + 1)) for one in churning]
        for _ in range(rounds):
            await _shrink_and_close(run, crowd, people[0])
        await asyncio.gather(*coming)
    await crowd.settle()
    run.counts["phantom"] += judge.after_the_end(await run.room(crowd.room))
    codes = Counter(one.note for op in ("send", "join") for one in run.history.of(op, "fail"))
    run.counts["unconverged"] += len(codes.keys() - {"room_closed", "room_full"})
    await run.judge(crowd, may_refuse=["room_closed"])
    await judge_visitors(run, crowd.room, churning, seated=len(crowd.all))
    run.bound("refused_as_closed", 1, codes["room_closed"], unit="", at_least=True)


async def _shrink_and_close(run: Run, crowd: Crowd, owner: Person) -> None:
    talks = [asyncio.create_task(one.talk(200, pause=0.01)) for one in crowd.senders]
    await _shrink(run, crowd.room, owner)
    await _turn(run, crowd.room, owner, "close")
    await until(lambda: any(talk.done() for talk in talks), 1)  # they talk to a closed door
    await _turn(run, crowd.room, owner, "reopen")
    await asyncio.gather(*talks)


async def _shrink(run: Run, room: int, owner: Person) -> None:
    """To any number of seats, again and again; fewer than the members is refused. At the end there
    are as many as before: the log is held against that."""
    for seats in [*(run.dice.randint(8, 59) for _ in range(20)), 60]:
        run.nemesis.begin("capacity", str(seats))
        port = run.dice.choice(run.site.ports)
        answer = await rest.ask(port, "PATCH", f"/api/v1/rooms/{room}/", owner, {"capacity": seats})
        run.nemesis.end("capacity", str(seats))
        errors = answer.said.get("errors", [{}]) if answer.status >= 400 else [{}]
        is_right = answer.status == 200 or errors[0].get("code") == "capacity_below_members"
        run.counts["unhandled"] += not is_right
        await asyncio.sleep(0.02)


async def _turn(run: Run, room: int, owner: Person, how: str) -> None:
    run.nemesis.begin(how, str(room))
    port = run.dice.choice(run.site.ports)
    answer = await rest.ask(port, "POST", f"/api/v1/rooms/{room}/{how}/", owner)
    run.counts["unhandled"] += answer.status != 200
    run.nemesis.end(how, str(room))
