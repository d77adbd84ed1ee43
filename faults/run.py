"""One run of one scenario: its people, its faults, its verdict.

    @scenario("A1", "kill -9 of a worker in the middle of a talk", seeds=20)
    async def worker_killed(run: Run) -> None:
        crowd = await run.crowd(senders=8, listeners=8)
        async with crowd.talking(500):
            for pause in run.pauses(5, 0.3, 2.0):
                await asyncio.sleep(pause)
                await run.nemesis.kill_worker(0)
        await run.judge(crowd)
        run.bound("t_recover", 5)

The dice are thrown by the seed alone, so a seed repeats the faults.
"""

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.ours import Person
from faults import judge
from faults.crowd import Crowd
from faults.history import History
from faults.member import Member
from faults.nemesis import Nemesis
from faults.site import Site

HERE_FOR = 30.0  # seconds after a fault; from then on who is here must be right
WITHIN = 1800.0  # seconds, unless a scenario says more
OURS = re.compile(r"^Traceback \(most recent call last\)", re.MULTILINE)


class Absent(Exception):
    """This machine lacks what the scenario needs. The text says what."""


@dataclass
class Scenario:
    id: str
    what: str
    play: Callable[["Run"], Awaitable[None]]
    seeds: int  # in the full run; one in the short one
    short: bool  # whether it is part of the short run
    within: float  # seconds for one seed
    environment: Mapping[str, str]  # of its workers, beside the usual one
    told: tuple[str, ...] = ()  # of a proof: numbers of which one must not be zero


CATALOGUE: dict[str, Scenario] = {}


def scenario(
    id: str,
    what: str,
    *,
    seeds: int = 3,
    short: bool = True,
    within: float = WITHIN,
    told: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
) -> Callable[[Callable[["Run"], Awaitable[None]]], Callable[["Run"], Awaitable[None]]]:
    def add(play: Callable[["Run"], Awaitable[None]]) -> Callable[["Run"], Awaitable[None]]:
        assert id not in CATALOGUE, id
        CATALOGUE[id] = Scenario(id, what, play, seeds, short, within, environment or {}, told)
        return play

    return add


@dataclass
class Bound:
    """What a figure was allowed to be."""

    name: str
    value: float
    limit: float
    unit: str = "s"
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass
class Run:
    site: Site
    seed: int
    is_full: bool
    history: History = field(default_factory=History)
    counts: Counter = field(default_factory=Counter)
    operations: Counter = field(default_factory=Counter)
    bounds: list[Bound] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    t_recover: list[float] = field(default_factory=list)
    t_caught_up: list[float] = field(default_factory=list)
    staleness: list[float] = field(default_factory=list)
    beside: dict[str, Any] = field(default_factory=dict)  # what others lose under the same
    crowds: list[Crowd] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)  # outside of crowds

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.nemesis = Nemesis(self.site, self.history)

    def pauses(self, count: int, low: float, high: float) -> list[float]:
        """Seconds, thrown before anything happens."""
        return [self.dice.uniform(low, high) for _ in range(count)]

    async def crowd(
        self,
        senders: int,
        listeners: int,
        *,
        ports: list[int] | None = None,
        listen_at: list[int] | None = None,
        capacity: int = 0,
        spare: int = 0,
        first: int = 0,
        also: Sequence[Person] = (),
    ) -> Crowd:
        """Members of a fresh room, who have come. Each begins at another of the ports, and goes
        round when cut off; `listen_at`: where the listeners do so; `spare`: how many more have a
        seat; `first`: which of the people is the first, for crowds that share nobody; `also`: who
        has a seat besides, and comes otherwise."""
        ports = ports or self.site.ports
        many = senders + listeners + spare
        people = (await asyncio.to_thread(self.site.take, first + many))[first:]
        room = self.site.room([*people, *also], capacity)

        def member(number: int, kind: str, where: list[int]) -> Member:
            turned = [*where[number % len(where) :], *where[: number % len(where)]]
            return Member(f"{kind}{number}", people[number], room, turned, self.history, self.dice)

        made = Crowd(
            self.site, self.counts, room,
            [member(number, "sender", ports) for number in range(senders)],
            [
                member(number, "listener", listen_at or ports)
                for number in range(senders, senders + listeners)
            ],
            [*people[senders + listeners :], *also],
        )  # fmt: skip
        self.crowds.append(made)
        await made.come()
        return made

    def member(self, name: str, person: Person, room: int, first: int = 0) -> Member:
        """One more, who begins at that worker and has not come yet."""
        ports = self.site.ports
        turned = [*ports[first:], *ports[:first]]
        self.members.append(Member(name, person, room, turned, self.history, self.dice))
        return self.members[-1]

    # --- the verdict ----------------------------------------------------------------------------

    async def room(self, room: int, seated: int = 0) -> judge.Room:
        log = await asyncio.to_thread(self.site.rows, judge.LOG, room)
        ((capacity, personnel, last_seq, members),) = await asyncio.to_thread(
            self.site.rows, judge.ROOM, room
        )
        return judge.Room(
            room,
            [judge.Line(*line) for line in log],
            capacity,
            personnel,
            last_seq,
            members,
            seated,
        )

    async def judge(
        self, crowd: Crowd, *, others: bool = False, may_refuse: Container[str] = ()
    ) -> None:
        """What this crowd said and saw, and the seats of its room. `others`: somebody else spoke
        there, too."""
        room = await self.room(crowd.room, seated=len(crowd.all) + len(crowd.spare))
        shown = {member.name: member.shown for member in crowd.all}
        self.counts += judge.conversation(
            self.history, room, shown, others=others, may_refuse=may_refuse
        )
        self.counts += judge.seats(room)
        recovered, caught_up = judge.recoveries(self.history, crowd.room)
        self.t_recover += recovered
        self.t_caught_up += caught_up
        self.operations["shown"] += sum(map(len, shown.values()))
        for member in crowd.all:
            self.counts += judge.wire(member.wire.streams, room)
        self.operations["reloads"] += sum(member.wire.reloads for member in crowd.all)
        self.operations["came_back"] += sum(member.came - 1 for member in crowd.all)
        self.counts["unhandled"] += sum(member.faults for member in crowd.all)
        self.operations["silent"] += sum(member.silent for member in crowd.all)

    async def judge_presence(self, crowd: Crowd) -> None:
        """What each is shown, against who is there; there are 30 s for it after a fault."""
        here = {member.person.id for member in crowd.all if member.is_connected}
        began, deadline = time.monotonic(), max(time.monotonic() + 1, self._last_fault() + HERE_FOR)
        while not all(member.presence.keys() == here for member in crowd.all):
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.1)
        else:
            self.figures["presence_converged"] = round(time.monotonic() - began, 1)
        for member in crowd.all:
            self.counts += judge.presence(member.presence, here)

    def _last_fault(self) -> float:
        return max((entry.at for entry in self.history.of("fault", "end")), default=0.0)

    def ack_times(self, share: float) -> float:
        return judge.percentile(judge.ack_times(self.history), share)

    def handshakes_5xx(self) -> int:
        return sum("HTTP/1.1 5" in entry.note for entry in self.history.of("connect", "fail"))

    def answer_times(self, share: float) -> float:
        return judge.percentile(judge.answer_times(self.history), share)

    async def judge_seats(self, room: int, *, seated: int = 0, expected: int | None = None) -> None:
        """`expected`: how many members there must be."""
        found = await self.room(room, seated)
        self.counts += judge.seats(found)
        if expected is not None:
            self.counts["lost_slots"] += max(0, expected - found.members)

    def count_tracebacks(self) -> None:
        """What the workers logged counts, too."""
        said = self.site.said()
        self.counts["unhandled"] += len(OURS.findall(said))
        if first := OURS.search(said):
            self.figures["logged"] = said[max(0, first.start() - 500) :][:4_000]

    def close(self) -> None:
        self.count_tracebacks()
        self.operations["attempted"] = len({e.cid for e in self.history.of("send", "invoke")})
        self.operations["acked"] = len({entry.cid for entry in self.history.of("send", "ok")})
        for op in ("join", "leave"):
            self.operations[op] += sum(1 for _ in self.history.of(op, "ok"))
        self.operations["faults"] = self.nemesis.count

    def bound(self, name: str, limit: float, value: float | None = None, **more: Any) -> None:
        """`t_recover`, `t_caught_up` and `staleness`: the 95th percentile of what was seen."""
        if value is None:
            value = judge.percentile(getattr(self, name))
        self.bounds.append(Bound(name, value, limit, **more))

    def note(self, name: str, value: Any) -> None:
        self.figures[name] = value

    @property
    def faults_found(self) -> dict[str, int]:
        return {name: self.counts[name] for name in judge.MUST_BE_ZERO if self.counts[name]}


@asynccontextmanager
async def prepared(site: Site, one: Scenario, seed: int, *, is_full: bool) -> AsyncIterator[Run]:
    """The site as this scenario wants it; mended in the end, whatever happened."""
    if one.environment:
        for number in range(len(site.workers)):
            await site.restart_worker(number, **one.environment)
    site.said()
    run = Run(site, seed, is_full)
    try:
        yield run
    finally:
        everyone: list[Crowd | Member] = [*run.crowds, *run.members]
        goes = (one.go() for one in everyone)
        ends = await asyncio.gather(*goes, return_exceptions=True)
        await site.mend()
        run.close()
        run.counts["unhandled"] += sum(end is not None for end in ends)  # a fault of our own
