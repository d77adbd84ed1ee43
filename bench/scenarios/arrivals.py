"""G9: 1,000 members come to one room within 5 s, and all are shown who is here.

First those who have their seats open a socket and subscribe: what they are told of each other is
counted in frames and bytes, over all sockets. Telling each arrival to all who are there would be
n(n-1)/2 frames. Then as many take their seats as well, by the REST door, while they arrive: each
seat is a line in the room's log, which everyone gets; that is counted apart.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from statistics import median
from typing import Any

from bench import client, cpu
from bench.figures import Figure
from bench.ours import Ours, Person, pinned
from bench.scenarios.talkers import until
from bench.servers import LOAD_CORE, Servers

ARRIVALS, SHORT_SEATED, WARMING = 1000, 300, 50
ROUNDS, SHORT_ROUNDS = 3, 2
TAKES_MAX = 6.0  # seconds, until the last of them is in
RATE = 200  # arrivals a second
RIGHT_WITHIN = 1.0  # seconds after the last arrival
WITHIN = 60  # seconds
QUIET_SECONDS = 2.5  # full frames of a crowd come every second
TYPE_IS = b'{"type":"'
CSRF = "c" * 32
AT_THE_DOOR = 16  # requests for a seat at the same time: one core answers fewer than RATE
TRIES, RETRY_SECONDS = 20, 1.0  # as the 503 says


def run(servers: Servers, *, short: bool, tell: Callable[[str], None]) -> dict[str, Any]:
    """`opened` (each round) and `seated`: what was told to whom; `figures`."""
    ours = Ours()
    with pinned(LOAD_CORE):
        try:
            ours.start(servers)
            asyncio.run(_opened(ours, servers, WARMING))
            opened = []
            for number in range(SHORT_ROUNDS if short else ROUNDS):
                tell(f"{ARRIVALS:,} members arrive, round {number + 1}")
                opened.append(asyncio.run(_opened(ours, servers, ARRIVALS)))
            count = SHORT_SEATED if short else ARRIVALS
            tell(f"{count:,} take their seats as they arrive")
            seated = asyncio.run(_seated(ours, servers, count))
        finally:
            ours.stop()
    figures = [figure.as_dict() for figure in _figures(opened, seated)]
    return {"opened": opened, "seated": seated, "figures": figures}


def _figures(opened: list[dict[str, Any]], seated: dict[str, Any]) -> Iterator[Figure]:
    what = f"{ARRIVALS:,} arrive in one room in 5 s"
    frames, size, took, right = (
        median(one[name] for one in opened)
        for name in ("presence", "presence_bytes", "took", "right_after")
    )
    yield Figure(
        "G9", f"{what}: presence frames", frames, "",
        "a frame for each to each (computed)", naive(ARRIVALS), at_most=1 / 20,
        note=f"{size / 2**20:.1f} MiB over all sockets, the first list of each among them",
    )  # fmt: skip
    yield Figure("G9", f"{what}: until the last is in", took, "s", at_most=TAKES_MAX)
    yield Figure("G9", f"{what}: then the count is right", right, "s", at_most=RIGHT_WITHIN)
    yield Figure(
        "", f"{seated['arrivals']:,} take their seats as they arrive: lines of the log told",
        seated["event"],
        note=f"{seated['event_bytes'] / 2**20:.1f} MiB; {seated['presence']:,} presence frames "
        f"besides; the last was in after {seated['took']:.1f} s, {seated['put_off']} were put off "
        f"by a 503; the count was right {seated['right_after']:.2f} s later",
    )  # fmt: skip


def naive(arrivals: int) -> int:
    """Each one told to all who are there."""
    return arrivals * (arrivals - 1) // 2


class Crowd:
    """People who come to a room one after the other, and what all of them are told."""

    def __init__(self, ours: Ours, room: int) -> None:
        self.room, self._where = room, (ours.port, ours.path)
        self.sockets: list[client.Socket] = []
        self.frames: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self.cut_off = 0
        self.told_at = self.subscribed_at = 0.0  # the last time that anyone was
        self.counts: list[tuple[float, int]] = []  # when the observer was told how many are here

    async def add(self, person: Person, heard: Callable[[bytes], None] | None = None) -> None:
        where = (*self._where, heard or self._heard, self._gone)
        self.sockets.append(socket := await client.connect(*where, session=person.session))
        socket.frame(type="subscribe", room=self.room)

    def observe(self, payload: bytes) -> None:
        self._heard(payload)
        frame = json.loads(payload)
        if frame["type"] == "presence":
            self.counts.append((time.monotonic(), frame["count"]))

    def _heard(self, payload: bytes) -> None:
        start = len(TYPE_IS)
        kind = payload[start : payload.index(b'"', start)].decode()
        self.frames[kind] += 1
        self.bytes[kind] += len(payload)
        if kind in ("presence", "event"):
            self.told_at = time.monotonic()
        elif kind == "subscribed":
            self.subscribed_at = time.monotonic()

    def _gone(self) -> None:
        self.cut_off += 1

    async def arrive(
        self, people: list[Person], come: Callable[[Person], Awaitable[None]]
    ) -> float:
        """At RATE a second, whatever each takes. The seconds until the last is in."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for number, person in enumerate(people):
                await asyncio.sleep(began + number / RATE - time.monotonic())
                tasks.create_task(come(person))
        assert await until(lambda: self.frames["subscribed"] > len(people), WITHIN), self.told()
        return self.subscribed_at - began

    async def right_after(self, count: int) -> float:
        """The seconds from the last arrival until the observer was told that number for good."""
        assert await until(lambda: bool(self.counts) and self.counts[-1][1] == count, WITHIN), (
            f"{self.counts[-1:]} instead of {count}"
        )
        await until(lambda: time.monotonic() - self.told_at > QUIET_SECONDS, WITHIN)
        wrong = [at for at, told in self.counts if told != count]
        right = next(at for at, told in self.counts if not wrong or at > wrong[-1])
        return max(0.0, right - self.subscribed_at)

    def told(self) -> dict[str, Any]:
        kinds = ("presence", "event")
        sizes = {f"{kind}_bytes": self.bytes[kind] for kind in kinds}
        counts = {kind: self.frames[kind] for kind in kinds}
        return {**counts, **sizes, "cut_off": self.cut_off, "subscribed": self.frames["subscribed"]}

    def leave(self) -> None:
        for socket in self.sockets:
            socket.close()


async def _opened(ours: Ours, servers: Servers, count: int) -> dict[str, Any]:
    room, (observer, *people) = next(ours.rooms(1, count + 1))
    crowd = Crowd(ours, room)
    await crowd.add(observer, crowd.observe)
    assert await until(lambda: bool(crowd.counts), WITHIN)
    return await _measured(ours, servers, crowd, people, crowd.add)


async def _seated(ours: Ours, servers: Servers, count: int) -> dict[str, Any]:
    observer, *people = ours.people(count + 1)
    crowd = Crowd(ours, ours.room([observer], capacity=count + 1))
    await crowd.add(observer, crowd.observe)
    assert await until(lambda: bool(crowd.counts), WITHIN)

    put_off, door = Counter(), asyncio.Semaphore(AT_THE_DOOR)

    async def come(person: Person) -> None:
        async with door:
            put_off["times"] += await _take_seat(ours.port, crowd.room, person)
        await crowd.add(person)

    told = await _measured(ours, servers, crowd, people, come)
    return told | {"put_off": put_off["times"]}


async def _measured(
    ours: Ours,
    servers: Servers,
    crowd: Crowd,
    people: list[Person],
    come: Callable[[Person], Awaitable[None]],
) -> dict[str, Any]:
    pids = [*ours.pids, *servers.pids.values()]
    before = cpu.seconds(pids)
    took = await crowd.arrive(people, come)
    right_after = await crowd.right_after(len(people) + 1)
    used = cpu.seconds(pids) - before
    told = crowd.told()
    crowd.leave()
    assert not told["cut_off"], told
    times = {"took": round(took, 2), "right_after": round(right_after, 3)}
    return {"arrivals": len(people), **times, "cpu_seconds": round(used, 2), **told}


async def _take_seat(port: int, room: int, person: Person) -> int:
    """PUT /api/v1/rooms/<room>/membership/ as a page of ours would, again after each 503 (and 500,
    which should not be). How often it was put off."""
    lines = [f"PUT /api/v1/rooms/{room}/membership/ HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"Cookie: sessionid={person.session}; csrftoken={CSRF}"]
    lines += [f"X-CSRFToken: {CSRF}", f"Origin: http://127.0.0.1:{port}"]
    request = "\r\n".join([*lines, "Content-Length: 0", "Connection: close", "", ""]).encode()
    for put_off in range(TRIES):
        answer = await _answer(port, request)
        if answer[9:12] in (b"201", b"200"):
            return put_off
        assert answer[9:12] in (b"503", b"500"), answer[:500]
        await asyncio.sleep(RETRY_SECONDS)
    raise AssertionError(f"no seat in {TRIES} tries: {answer[:500]!r}")


async def _answer(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await reader.read()
    finally:
        writer.close()
