"""N7–N9: many connections at once: all that were cut, those that come and go, and those that come
in the middle of a burst."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Iterable
from functools import partial
from typing import Any

from bench.ours import Person
from faults import judge, processes, rest, until
from faults.crowd import COMPLETE_WITHIN, Crowd
from faults.guest import Frame, Guest
from faults.run import Run, scenario

ROOM = 100  # members
BACK_WITHIN = 60.0  # seconds
TRANSACTIONS = """
SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"""


@scenario("N7", "a thousand or two connections gone at once: cut, and then with both workers")
async def storm(run: Run) -> None:
    """All come back by themselves, while somebody speaks in each of their rooms. What they cost the
    database is counted with all else that the site asked it meanwhile."""
    site, rooms = run.site, 20 if run.is_full else 10
    await asyncio.to_thread(site.take, rooms * ROOM)
    crowds = [await run.crowd(1, ROOM - 1, first=ROOM * n) for n in range(rooms)]
    talks = [one.senders[0].talk(30, pause=0.4) for one in crowds]
    talking = asyncio.gather(*talks)
    before = await _transactions(run)
    await _all_gone(run, crowds, "all cut", _cut(crowds))
    await _all_gone(run, crowds, "kill -9 of all", _killed(run))
    async with asyncio.timeout(COMPLETE_WITHIN):
        await talking
    await asyncio.gather(*(one.settle() for one in crowds))
    asked = await _transactions(run) - before
    run.bound("transactions_each", 2, asked / (2 * rooms * ROOM), unit="")
    failed = Counter(entry.note for entry in run.history.of("connect", "fail"))
    run.bound("handshakes_5xx", 0, run.handshakes_5xx(), unit="")
    run.note("connects_failed", dict(failed.most_common(5)))
    for one in crowds:
        await run.judge(one)


async def _all_gone(run: Run, crowds: list[Crowd], what: str, how: Awaitable[Any]) -> None:
    """Until all are back; how long the last hundredth took, and how long no core was free."""
    members = [member for crowd in crowds for member in crowd.all]
    came = [member.came for member in members]
    run.nemesis.begin(what)
    began = time.monotonic()
    await how
    run.nemesis.end(what)
    async with processes.watched(*run.site.pids) as watch:
        await until(
            lambda: all(
                one.came > before and one.is_connected
                for one, before in zip(members, came, strict=True)
            ),
            BACK_WITHIN + 10,
        )
    took = _back_after(run, began)
    late = len(members) - len(took) + sum(seconds > BACK_WITHIN for seconds in took)
    run.bound(f"late after {what}", len(members) // 100, late, unit="")
    run.note(f"back after {what}", {"median": took[len(took) // 2], "last": took[-1]})
    run.note(f"saturated after {what}", [round(one.saturated, 1) for one in watch.values()])


def _back_after(run: Run, began: float) -> list[float]:
    """Seconds of each who came back, in order."""
    first: dict[tuple[str, int], float] = {}
    for entry in run.history.of("connect", "ok"):
        if entry.at > began:
            first.setdefault((entry.who, entry.room), round(entry.at - began, 2))
    return sorted(first.values())


async def _cut(crowds: Iterable[Crowd]) -> None:
    for crowd in crowds:
        for member in crowd.all:
            member.cut()


async def _killed(run: Run) -> None:
    workers = range(len(run.site.workers))
    await asyncio.gather(*(run.nemesis.kill_worker(number) for number in workers))


async def _transactions(run: Run) -> int:
    """So far, of all connections; PostgreSQL counts them up to a second late."""
    await asyncio.sleep(1.5)
    return (await asyncio.to_thread(run.site.rows, TRANSACTIONS))[0][0]


# --- those who come and go ----------------------------------------------------------------------


@scenario("N8", "fifty clients that come and go, more than twenty times a second")
async def flapping(run: Run) -> None:
    """Who stays misses nothing; who goes again had no hole either while they were there."""
    crowd = await run.crowd(8, 8, spare=50)
    is_over, began = asyncio.Event(), time.monotonic()
    flapping = [
        asyncio.create_task(_come_and_go(run, crowd.room, person, is_over))
        for person in crowd.spare
    ]
    run.nemesis.begin("flapping")
    try:
        async with crowd.talking(800 if run.is_full else 150, pause=0.02):
            pass
    finally:
        is_over.set()
    visits = sum(await asyncio.gather(*flapping))
    run.nemesis.end("flapping")
    run.bound("visits", 20, visits / (time.monotonic() - began), unit="a second", at_least=True)
    await run.judge(crowd)
    await run.judge_presence(crowd)


async def _come_and_go(run: Run, room: int, person: Person, is_over: asyncio.Event) -> int:
    """How often."""
    visits = 0
    while not is_over.is_set():
        guest = await Guest.come("flapping", person, run.dice.choice(run.site.ports), run.history)
        head = (await guest.ask(type="subscribe", room=room))["head"]
        await asyncio.sleep(run.dice.uniform(0, 0.2))
        guest.socket.say_goodbye() if run.dice.random() < 0.5 else guest.go()
        run.counts += judge.stream(guest.lines[room], head)
        visits += 1
        await asyncio.sleep(run.dice.uniform(0, 1))
    return visits


# --- those who come in the middle of a burst ----------------------------------------------------


@scenario("N9", "a room is opened again and again while a burst is written to it")
async def opened_in_a_burst(run: Run) -> None:
    """Its log is read first, its socket subscribed first, or both at once: together they are
    whole, and the socket says nothing twice."""
    rounds = 1000 if run.is_full else 200
    crowd = await run.crowd(4, 2, spare=10)
    opening = [
        asyncio.create_task(_open_again(run, crowd.room, person, n % 2, rounds // 10))
        for n, person in enumerate(crowd.spare)
    ]
    run.nemesis.begin("burst")
    while not all(one.done() for one in opening):
        async with asyncio.timeout(COMPLETE_WITHIN):
            await asyncio.gather(*(one.talk(100, pause=0.005) for one in crowd.senders))
    run.nemesis.end("burst")
    run.bound("opened", rounds, sum([await one for one in opening]), unit="times", at_least=True)
    await crowd.settle()
    await run.judge(crowd)


def _is_after(stream: list[Frame], head: int) -> bool:
    return bool(stream) and stream[-1]["seq"] > head


async def _open_again(run: Run, room: int, person: Person, worker: int, rounds: int) -> int:
    """So often, each time until the first line came that was said later."""
    port = run.site.ports[worker]
    guest = await Guest.come("opens", person, port, run.history)
    stream, head = guest.lines[room], 0
    for _ in range(rounds):
        start = max(0, head - run.dice.randint(0, 150))
        way = run.dice.choice([_log_first, _socket_first, _both_at_once])
        log, subscribed = await way(guest, port, room, start)
        after, head = subscribed["after"], subscribed["head"]
        run.counts["gaps"] += not subscribed["recovered"]  # so little can always be told
        came = await guest.until(partial(_is_after, stream, head))
        run.counts["lost_delivery"] += not came
        run.counts += judge.stream(stream, after)
        together = [*(line for line in log if line["seq"] <= after), *stream]
        run.counts += judge.stream(together, start)
        run.operations["shown"] += len(stream)
        head = max(line["seq"] for line in together) if together else start
        await guest.ask(type="unsubscribe", room=room)
        stream.clear()
    guest.go()
    return rounds


Way = tuple[list[dict[str, Any]], dict[str, Any]]  # the log, and the answer to `subscribe`


async def _log_first(guest: Guest, port: int, room: int, start: int) -> Way:
    log = await _log(port, guest.person, room, start)
    last = log[-1]["seq"] if log else start
    return log, await guest.ask(type="subscribe", room=room, after=last)


async def _socket_first(guest: Guest, port: int, room: int, start: int) -> Way:
    subscribed = await guest.ask(type="subscribe", room=room)
    return await _log(port, guest.person, room, start, subscribed["head"]), subscribed


async def _both_at_once(guest: Guest, port: int, room: int, start: int) -> Way:
    log, subscribed = await asyncio.gather(
        _log(port, guest.person, room, start), guest.ask(type="subscribe", room=room)
    )
    if (last := log[-1]["seq"] if log else start) < subscribed["head"]:
        log += await _log(port, guest.person, room, last, subscribed["head"])
    return log, subscribed


async def _log(
    port: int, person: Person, room: int, start: int, until: int = 0
) -> list[dict[str, Any]]:
    """A page of what came after `start`; with `until` as many pages as that takes."""
    log: list[dict[str, Any]] = []
    while not log or log[-1]["seq"] < until:
        after = log[-1]["seq"] if log else start
        path = f"/api/v1/rooms/{room}/events/?after={after}&limit=100"
        page = (await rest.ask(port, "GET", path, person)).said["results"]
        if not page:
            break
        log += page
    return log
