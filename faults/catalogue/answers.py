"""D8: the largest answers that there are, asked for by a few without a pause and read by nobody."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from bench.rest import Http
from core.answer_limit import ANSWER_MAX
from faults import processes
from faults.device import Account
from faults.run import Run, scenario
from faults.stalled import StalledRequest

ASKERS, SLOW = 4, 60
ROOMS, HALL, LINES = 20, 1_000, 60  # lines of the first of them, and of each other
MEMORY = 128.0  # MiB that a worker may take for all of it
ALIVE_WITHIN = 1.0  # seconds
LOOK_EVERY = 0.1
CALM = {200, 400, 503}  # 503: it took too long, or too many ask

FILL = """
INSERT INTO messaging_event (room_id, seq, kind, sender_id, client_id, body)
SELECT r.id, n, 'message', r.owner_id, gen_random_uuid(), repeat('😀', 3900)
FROM rooms_room r, generate_series(1, {lines}) n WHERE r.id IN ({rooms});
UPDATE rooms_room SET last_seq = {lines}, title = repeat('😀', 80),
       description = repeat('😀', 500) WHERE id IN ({rooms})"""

WHOLE = {
    "a page of the log": "{room(number:ROOM){events(first:100){edges{node{seq clientId body "
    "at sender{name}}} pageInfo{hasNextPage endCursor}}}}",
    "the original's": '{getChatMessages(chatId:"ROOM",exitTime:"2026-01-01T00:00:00"){'
    "type username message createdAt " + " ".join(f"a{n}:chatId" for n in range(15)) + "}}",
    "last lines": "{me{unread} myRooms(first:20){edges{node{title description seat{unread} "
    "lastEvent{body sender{name}}}}}}",
}  # fmt: skip
REFUSED = {
    "lines of many rooms": "{myRooms(first:20){edges{node{events(first:25){edges{node{body}}}}}}}",
    "lines that nobody sees": "{myRooms(first:20){edges{node{events(first:99){edges{cursor}}}}}}",
    "last lines by fifteen names": "{myRooms(first:20){edges{node{"
    + " ".join(f"a{n}:lastEvent{{body}}" for n in range(15)) + "}}}}",
    "the original's twice": "{" + " ".join(
        f'a{n}:getChatMessages(chatId:"ROOM",exitTime:"2026-01-01T00:00:00"){{message}}'
        for n in range(2)) + "}",
    "a long name on many": "{myRooms(first:20){edges{node{events(first:15){edges{node{"
    + "a" * 8_000 + ":seq}}}}}}}",
    "a field again and again": "{" + "me{id}" * 149 + "}",
}  # fmt: skip
PAGES = (
    "/api/open-chats/read/ROOM",
    "/api/open-chats",
    "/api/v1/rooms/ROOM/events/?limit=100",
    "/api/v1/rooms/ROOM/events/?after=0&limit=100",
    "/api/v1/rooms/ROOM/missed/?limit=100",
    "/api/v1/rooms/?limit=100",
)


class Ask(NamedTuple):
    """A request, and what it is answered when there is time for it."""

    name: str
    method: str
    path: str
    body: Any
    status: int


@scenario(
    "D8", "four ask for all there is at once, and sixty read nothing of it", seeds=3, short=False
)
async def all_there_is(run: Run) -> None:
    """All four at one worker, without a limit on how often they may; the sixty at both. Nothing of
    it was asked before: what a worker takes once, for good, counts as well."""
    crowd = await run.crowd(4, 4)
    account = await Account.made(run.site)
    bearer = {"Authorization": f"Bearer {(await account.sign_in())['access']}"}
    asks = _asks(await _filled(run, account))
    asker = Asker(run.site.ports[0], bearer)
    for pid in run.site.pids:
        processes.forget_most(pid)
    before = [processes.memory(pid) for pid in run.site.pids]
    seconds = 20 if run.is_full else 8
    async with crowd.talking(seconds * 4, pause=0.25), _livez(run) as waits:
        run.nemesis.begin("greed", f"{seconds} s")
        async with _slow(run, [one for one in asks if one.status == 200], bearer):
            until = time.monotonic() + seconds
            each = [run.dice.sample(asks, len(asks)) for _ in range(ASKERS)]
            await asyncio.gather(*(asker.ask_until(until, mine) for mine in each))
        run.nemesis.end("greed", f"{seconds} s")
    most = [processes.most_memory(pid) for pid in run.site.pids]
    more = [high - low for high, low in zip(most, before, strict=True)]
    run.bound("memory", MEMORY, max(more), unit="MiB")
    run.bound("livez", ALIVE_WITHIN, max(waits))
    run.bound("largest_answer", ANSWER_MAX, asker.largest, unit="bytes")
    good = [asker.answers[one.name, one.status] for one in asks]
    run.bound("each_answered", 1, min(good), unit="times", at_least=True)
    run.counts["unhandled"] += asker.strange
    run.note("answers", {f"{name}: {told}": n for (name, told), n in asker.answers.items()})
    run.note(
        "memory_mib", [[round(low), round(high)] for low, high in zip(before, most, strict=True)]
    )
    run.note("livez_p99", round(sorted(waits)[int(len(waits) * 0.99)], 3))
    await run.judge(crowd)


async def _filled(run: Run, account: Account) -> int:
    """Rooms of somebody else's that are full of the longest lines; says which has most."""
    (owner,) = await asyncio.to_thread(run.site.take, 1)
    rooms = [run.site.room([owner, account.person]) for _ in range(ROOMS)]
    hall, *others = map(str, rooms)
    for lines, where in ((HALL, hall), (LINES, ",".join(others))):
        await asyncio.to_thread(run.site.change, FILL.format(lines=lines, rooms=where))
    return rooms[0]


def _asks(room: int) -> list[Ask]:
    queries = [(*one, 200) for one in WHOLE.items()] + [(*one, 400) for one in REFUSED.items()]
    asks = [
        Ask(name, "POST", "/graphql/", {"query": query.replace("ROOM", str(room))}, status)
        for name, query, status in queries
    ]
    return asks + [Ask(path, "GET", path.replace("ROOM", str(room)), None, 200) for path in PAGES]


class Asker:
    """What they ask for, and what they were answered."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._port, self._headers = port, headers
        self.answers: Counter[tuple[str, int]] = Counter()
        self.largest = self.strange = 0

    async def ask_until(self, until: float, asks: list[Ask]) -> None:
        """One after the other, round and round."""
        http = Http(self._port)
        await http.open()
        try:
            while time.monotonic() < until:
                for one in asks:
                    told = await http.ask(one.method, one.path, one.body, self._headers)
                    self._heard(one, told[0], len(told[2]))
        finally:
            http.close()

    def _heard(self, one: Ask, status: int, size: int) -> None:
        self.answers[one.name, status] += 1
        self.strange += status not in CALM
        self.largest = max(self.largest, size)


@asynccontextmanager
async def _livez(run: Run) -> AsyncIterator[list[float]]:
    """How long each worker took to say that it lives, again and again until the block ends."""
    waits: list[float] = []

    async def look(port: int) -> None:
        while True:
            began = time.monotonic()
            http = Http(port)
            await http.open()
            status, _head, _body = await http.ask("GET", "/livez")
            http.close()
            waits.append(time.monotonic() - began)
            run.counts["unhandled"] += status != 200
            await asyncio.sleep(LOOK_EVERY)

    looking = [asyncio.create_task(look(port)) for port in run.site.ports]
    try:
        yield waits
    finally:
        for one in looking:
            one.cancel()
        ends = await asyncio.gather(*looking, return_exceptions=True)
        run.counts["unhandled"] += sum(isinstance(end, Exception) for end in ends)


@asynccontextmanager
async def _slow(run: Run, asks: list[Ask], headers: dict[str, str]) -> AsyncIterator[None]:
    """They have asked, and their answers wait, until the block ends."""
    requests = [_request(asks[number % len(asks)], headers) for number in range(SLOW)]
    readers = await asyncio.gather(
        *(
            asyncio.to_thread(StalledRequest, run.site.ports[n % 2], one)
            for n, one in enumerate(requests)
        )
    )
    try:
        yield
        answered = [await asyncio.to_thread(reader.is_answered) for reader in readers]
        run.bound("slow_ones_answered", SLOW, sum(answered), unit="", at_least=True)
    finally:
        for reader in readers:
            reader.close()


def _request(one: Ask, headers: dict[str, str]) -> bytes:
    body = b"" if one.body is None else json.dumps(one.body).encode()
    named = {"Host": "127.0.0.1", "Content-Type": "application/json", **headers}
    named["Content-Length"] = str(len(body))
    head = [f"{one.method} {one.path} HTTP/1.1", *(f"{name}: {v}" for name, v in named.items())]
    return "\r\n".join([*head, "", ""]).encode() + body
