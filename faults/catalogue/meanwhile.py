"""C12–C14: what changes meanwhile: cards, read positions, and what the database takes back."""

import asyncio
from collections.abc import Coroutine

from bench.ours import Person
from faults import rest
from faults.crowd import Crowd
from faults.member import Member
from faults.run import Run, scenario
from faults.visitor import Visitor, judge_visitors

COUNTED_UP_TO = 100  # unread messages


@scenario("C12", "many edit a room's card at once, each as they have seen it", seeds=10)
async def edits(run: Run) -> None:
    """One wins, the others are told that it is another card by now. Who reads it again and tries
    again gets through: a counter on the card misses nobody. (Messages can't be edited.)"""
    owner, *_ = await asyncio.to_thread(run.site.take, 1)
    room = run.site.empty_room(owner, 10)
    path, ports = f"/api/v1/rooms/{room}/", run.site.ports
    for number in range(30 if run.is_full else 8):
        run.nemesis.begin("edits", str(number))
        seen = (await rest.ask(ports[0], "GET", path, owner)).etag
        titles = [f"round {number}, edit {which}" for which in range(16)]
        answers = await asyncio.gather(
            *(_edit(ports[n % 2], path, owner, seen, title=title) for n, title in enumerate(titles))
        )
        run.nemesis.end("edits", str(number))
        won = [title for title, status in zip(titles, answers, strict=True) if status == 200]
        card = (await rest.ask(ports[1], "GET", path, owner)).said
        run.counts["lost_durable"] += len(won) != 1 or card["title"] != won[0]
        run.counts["unconverged"] += len(answers) - answers.count(200) - answers.count(412)
    each = 20 if run.is_full else 5
    counting = [_count_up(ports[n % 2], path, owner, each) for n in range(8)]
    run.operations["edits"] += await _sum(counting)
    card = (await rest.ask(ports[0], "GET", path, owner)).said
    run.counts["lost_durable"] += 8 * each - int(card["description"] or 0)


async def _sum(counting: list[Coroutine[None, None, int]]) -> int:
    return sum(await asyncio.gather(*counting))


async def _edit(port: int, path: str, owner: Person, seen: str, **changes: str) -> int:
    headers = {"If-Match": seen}
    return (await rest.ask(port, "PATCH", path, owner, changes, headers=headers)).status


async def _count_up(port: int, path: str, owner: Person, times: int) -> int:
    """Read, add one, write, until it is taken; so many times. Says how many tries it took."""
    tries = done = 0
    while done < times:
        card = await rest.ask(port, "GET", path, owner)
        more = str(int(card.said["description"] or 0) + 1)
        done += await _edit(port, path, owner, card.etag, description=more) == 200
        tries += 1
    return tries


@scenario("C13", "a person reads on two devices while others talk", seeds=10)
async def reading(run: Run) -> None:
    """The position is that of whoever is further, at both workers, and never goes back; unread is
    what others said after it."""
    crowd = await run.crowd(6, 2)
    reader, room = crowd.listeners[0], crowd.room
    devices = [run.member(f"device {n}", reader.person, room, n) for n in range(2)]
    await asyncio.gather(*(device.come() for device in devices))
    is_over = asyncio.Event()
    watching = [asyncio.create_task(_watch(run, reader, n, is_over)) for n in range(2)]
    moving = [asyncio.create_task(_read(run, one, is_over)) for one in devices]
    try:
        async with crowd.talking(300 if run.is_full else 80, pause=0.02):
            await asyncio.sleep(0)
    finally:
        is_over.set()
    await asyncio.gather(*moving, *watching)
    head = (await run.room(room)).last_seq
    for place, at in enumerate((head - 50, head - 20, head - 35, head)):
        await devices[place % 2].frame(type="read", room=room, seq=at)
        wanted = max(at, head - 20 if place > 1 else 0)
        run.counts["false_unread"] += not await _is_read_up_to(run, reader, wanted, head)
    await run.judge(crowd)


async def _read(run: Run, device: Member, is_over: asyncio.Event) -> None:
    """What it had on screen a while ago, now and then what is far above it."""
    while not is_over.is_set():
        seq = device.last - run.dice.choice([60, 60, 60, 90])
        await device.frame(type="read", room=device.room, seq=max(seq, 0))
        run.operations["reads"] += 1
        await asyncio.sleep(run.dice.uniform(0.01, 0.05))


async def _watch(run: Run, reader: Member, number: int, is_over: asyncio.Event) -> None:
    """One worker's answers, one after the other. Nobody but the others speaks in this room."""
    furthest = 0
    while not is_over.is_set():
        found = await rest.unread(run.site.ports[number], reader.person, reader.room)
        run.counts["false_unread"] += found.read < furthest
        run.counts["false_unread"] += found.unread != min(found.head - found.read, COUNTED_UP_TO)
        furthest = max(furthest, found.read)
        run.operations["looks"] += 1
        await asyncio.sleep(0.02)


async def _is_read_up_to(run: Run, reader: Member, seq: int, head: int) -> bool:
    """At both workers, soon: a `read` is not answered."""
    wanted = [rest.Unread(seq, head, head - seq)] * len(run.site.ports)
    for _ in range(100):
        found = [await rest.unread(port, reader.person, reader.room) for port in run.site.ports]
        if found == wanted:
            return True
        await asyncio.sleep(0.02)
    return False


@scenario("C14", "the database rolls back: locks, deadlocks, connections that end", seeds=10)
async def rolled_back(run: Run) -> None:
    """At random moments of a talk, with people who come and go: no number of the log is missing,
    and none is given twice."""
    crowd = await run.crowd(6, 6, capacity=40)
    people = (await asyncio.to_thread(run.site.take, 32))[12:]
    churning = [Visitor(run, one, crowd.room, n % 2) for n, one in enumerate(people)]
    seconds = 40 if run.is_full else 10
    async with crowd.talking(seconds * 25, pause=0.03):
        coming = [asyncio.create_task(one.come_and_go(seconds)) for one in churning]
        for fault in [run.dice.choice(ROLLBACKS) for _ in range(seconds)]:
            await fault(run, crowd)
            await asyncio.sleep(run.dice.uniform(0, 0.5))
        await asyncio.gather(*coming)
    await run.judge(crowd)
    await judge_visitors(run, crowd.room, churning, seated=len(crowd.all))
    run.bound("t_recover", 5)


async def _hold(run: Run, crowd: Crowd) -> None:
    """Shorter and longer than a writer waits for a row."""
    async with run.nemesis.holding(crowd.room):
        await asyncio.sleep(run.dice.uniform(0.1, 1.6))


async def _deadlock(run: Run, crowd: Crowd) -> None:
    await run.nemesis.deadlock(crowd.room)


async def _terminate(run: Run, _crowd: Crowd) -> None:
    await run.nemesis.terminate(run.dice)


ROLLBACKS = (_hold, _deadlock, _terminate, _terminate)
