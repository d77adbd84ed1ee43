"""D1–D5: more than anybody should ask for."""

import asyncio
import json
import subprocess
from collections import Counter
from typing import Any
from uuid import uuid4

from bench import client, load
from bench.ours import Person
from faults import judge, rest
from faults.history import Entry
from faults.run import Absent, Run, scenario
from faults.site import HOME

RATE, BURST = 5, 20  # messages a second and at once, as they are unless somebody sets them
LIMITS = {"MESSAGE_RATE": str(RATE), "MESSAGE_BURST": str(BURST)}
FRAMES = {"FRAME_RATE": "200", "FRAME_BURST": "400"}
USUAL = LIMITS | FRAMES | {"API_RATE": "600"}
# Seconds; less nobody sees. The harness is on the way to the stores and floods by the same core.
UNNOTICED = 0.25


class Flooder:
    """A socket that says as much as it is told to, whatever it is answered: as no client of ours
    would, which waits for the answers and keeps the pace."""

    def __init__(self, person: Person, room: int, number: int) -> None:
        self.name, self._person, self._room = f"flood {number}", person, room
        self.answers = Counter[str]()
        self.acked: dict[str, int] = {}

    async def open(self, port: int) -> None:
        self._socket = await client.connect(port, "/ws/", self._heard, session=self._person.session)

    async def flood(self, seconds: float, rate: float, **frame: Any) -> None:
        """`send` unless another frame is asked for."""
        loop = asyncio.get_running_loop()
        began, sent = loop.time(), 0
        while (passed := loop.time() - began) < seconds:
            for _ in range(int(passed * rate) - sent):
                self._say(frame)
                sent += 1
            await asyncio.sleep(0.01)

    def _say(self, frame: dict[str, Any]) -> None:
        self.answers["sent"] += 1
        if frame:
            self._socket.frame(room=self._room, **frame)
            return
        text = f"{self.name} floods"
        self._socket.frame(type="send", room=self._room, cid=str(uuid4()), body=text)

    def _heard(self, payload: bytes) -> None:
        frame = json.loads(payload)
        self.answers[frame.get("code", frame["type"])] += 1
        if frame["type"] == "ack":
            self.acked[frame["cid"]] = frame["seq"]

    def subscribe(self) -> None:
        self._socket.frame(type="subscribe", room=self._room)

    def close(self) -> None:
        self._socket.close()


@scenario(
    "D1",
    "one floods a room with a thousand messages a second",
    seeds=3,
    short=False,
    environment=USUAL,
)
async def flood(run: Run) -> None:
    """By sockets and REST, at both workers. They are heard as often as anybody may speak, and the
    others, who keep the limit, do not notice."""
    crowd = await run.crowd(5, 5)
    *crowd.senders, flooder = crowd.senders
    calm, seconds = 4, 30 if run.is_full else 8
    async with crowd.talking((calm + seconds) * 4, pause=0.25):
        await asyncio.sleep(calm)
        before = len(run.history.entries)
        run.nemesis.begin("flood", f"{seconds} s")
        acked = await _flood(run, flooder.person, crowd.room, seconds)
        run.nemesis.end("flood", f"{seconds} s")
    crowd.listeners.append(flooder)
    quiet, busy = _p99(run.history.entries[:before]), _p99(run.history.entries[before:])
    run.note("victim_p99_ms", [round(quiet * 1000, 1), round(busy * 1000, 1)])
    run.bound("victim_p99_more", max(0.2 * quiet, UNNOTICED), busy - quiet)
    rows = await asyncio.to_thread(run.site.rows, HEARD, crowd.room, flooder.person.id)
    stored = {cid: seq for cid, seq, _ in rows}
    run.counts["lost_durable"] += sum(stored.get(cid) != seq for cid, seq in acked.items())
    times = [at for _, _, at in rows]
    over = [n + 1 - BURST - RATE * (at - times[0]) for n, at in enumerate(times)]
    run.bound("over_the_limit", 1, over[-1], unit="messages")
    # Each worker lets a burst go before it hears of the other's; that is paid back.
    run.bound("at_once", BURST, max(over), unit="messages more")
    run.bound("heard_for", seconds + 2, times[-1] - times[0])
    run.bound("heard_at_all", BURST, len(times), unit="messages", at_least=True)
    await run.judge(crowd, others=True)


HEARD = """
SELECT client_id::text, seq, extract(epoch FROM created_at)::float FROM messaging_event
WHERE room_id = %s AND sender_id = %s ORDER BY seq"""


async def _flood(run: Run, person: Person, room: int, seconds: float) -> dict[str, int]:
    """Five sockets with what a socket may send, and REST beside them; what was acknowledged."""
    ports, each = run.site.ports, 200
    flooders = [Flooder(person, room, number) for number in range(5)]
    await asyncio.gather(*(one.open(ports[n % 2]) for n, one in enumerate(flooders)))
    acked: dict[str, int] = {}
    asking = [_ask_on(ports[n % 2], person, room, seconds, acked) for n in range(4)]
    await asyncio.gather(*(one.flood(seconds, each) for one in flooders), *asking)
    told = Counter[str]()
    for one in flooders:
        one.close()
        told += one.answers
        acked |= one.acked
    run.note("answers", dict(told))
    return acked


async def _ask_on(
    port: int, person: Person, room: int, seconds: float, acked: dict[str, int]
) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while loop.time() < until:
        path, draft = f"/api/v1/rooms/{room}/events/", {"cid": str(uuid4()), "body": "rest floods"}
        answer = await rest.ask(port, "POST", path, person, draft)
        if answer.status < 300:
            acked[draft["cid"]] = answer.said["seq"]
        await asyncio.sleep(0.02)


def _p99(entries: list[Entry]) -> float:
    """Seconds from the members' saying something to its acknowledgement."""
    began, took = dict[str, float](), []
    for entry in entries:
        if entry.op == "send" and entry.who.startswith("sender"):
            if entry.phase == "invoke":
                began.setdefault(entry.cid, entry.at)
            elif entry.phase == "ok" and entry.cid in began:
                took.append(entry.at - began[entry.cid])
    return judge.percentile(took, 0.99)


@scenario(
    "D2",
    "two hundred keep the limit, and ask for twice of what there is",
    short=False,
    environment=FRAMES,
)
async def too_much(run: Run) -> None:
    """What is over is refused or waits; what is done is hardly less, and all of it is right. The
    generator has no machine of its own: to ask for more takes from the same two cores. Not for
    longer: a client whose own line is stuffed for 20 s can't answer a ping in time, is closed, and
    has to resume, which the generator does not do."""
    seconds = 10 if run.is_full else 5
    most = await _generate(run, 20, 10, in_flight=4000, measure=seconds)
    rate = 2 * most.messages_per_second
    drain = 2 * seconds + 2  # the half that did not get through yet may take as long as the talk
    found = await _generate(run, 20, 10, rate=int(rate), measure=seconds, warm=2, drain=drain)
    share = found.per_cpu_second / most.per_cpu_second
    run.note("goodput_per_cpu", round(share, 2))
    run.bound("goodput", 70, 200 * found.messages_per_second / rate, unit="%", at_least=True)


@scenario("D4", "a room of hundreds in which fifty messages a second are said", seeds=3)
async def giant_room(run: Run) -> None:
    """300 members in the short run, 1,000 in the full one; each gets each message once."""
    members, seconds = (1000, 30) if run.is_full else (300, 8)
    found = await _generate(run, 1, members, rate=50, measure=seconds, publishers=20)
    run.bound("fan_out_p99", 2000, found.report["latency_ms"]["p99"], unit="ms")


async def built() -> None:
    """The load generator. Raises Absent."""
    try:
        await asyncio.to_thread(load.build)
    except (subprocess.SubprocessError, OSError) as error:
        raise Absent(f"the load generator can't be built here (gcc): {error}") from None


async def _generate(run: Run, rooms: int, members: int, **options: Any) -> load.Run:
    """What the load generator of the benchmark finds, judged. Raises Absent without a compiler."""
    await built()
    plan = await asyncio.to_thread(run.site.plan, rooms, members, HOME)
    ((before,),) = await asyncio.to_thread(run.site.rows, MESSAGES)
    pids = [*run.site.pids, *run.nemesis.pids("postgresql"), *run.nemesis.pids("redis")]
    usual = {"warm": 1, "drain": 10, "doze": True} | options
    run.nemesis.begin("load", str(rooms * members))
    found = await asyncio.to_thread(load.measure, "chattalk", plan, "/ws/", pids, **usual)
    run.nemesis.end("load", str(rooms * members))
    ((after,),) = await asyncio.to_thread(run.site.rows, MESSAGES)
    _judge_load(run, found.report, after - before, members)
    return found


MESSAGES = "SELECT count(*) FROM messaging_event WHERE kind = 'message'"


def _judge_load(run: Run, report: dict[str, Any], stored: int, members: int) -> None:
    run.counts["lost_durable"] += max(0, report["acked"] - stored)
    # What was refused was stored or not, if its answer was late; what is stored everybody gets.
    run.counts["lost_delivery"] += abs(report["lost"] - (report["sent"] - stored) * members)
    run.counts["dup_shown"] += report["repeated"]
    run.counts["order_err"] += report["disorder"]
    run.counts["unhandled"] += report["closed_early"]
    run.operations["generated"] += report["sent"]
    run.operations["delivered"] += report["delivered"]
    run.note(f"load {run.nemesis.count}", report)


@scenario(
    "D5", "typing, reading, coming and going, as fast as a socket takes it", seeds=3, short=False,
    environment=USUAL,
)  # fmt: skip
async def spam(run: Run) -> None:
    """What the others are sent of it is joined: typing of one every 3 s, who is here four times a
    second, a read position never."""
    crowd = await run.crowd(4, 6)
    room, ports, spammers = crowd.room, run.site.ports, [one.person for one in crowd.senders]
    seconds = 30 if run.is_full else 9
    opened = [Flooder(person, room, n) for n, person in enumerate(spammers * 2)]
    before = [len(one.heard_besides) for one in crowd.listeners]
    run.nemesis.begin("spam", f"{seconds} s")
    async with asyncio.TaskGroup() as group:
        for number, one in enumerate(opened):
            await one.open(ports[number // len(spammers)])
            one.subscribe()
            group.create_task(one.flood(seconds, 100, type="typing"))
            group.create_task(one.flood(seconds, 100, type="read", seq=1))
        for person in spammers:
            group.create_task(_flap(run, person, room, seconds))
    run.nemesis.end("spam", f"{seconds} s")
    for one in opened:
        one.close()
    await asyncio.sleep(1)
    told = Counter[str]()
    for listener, seen in zip(crowd.listeners, before, strict=True):
        told += Counter(frame["type"] for frame in listener.heard_besides[seen:])
    run.note("told", dict(told))
    run.operations["spam"] += sum(one.answers["sent"] for one in opened)
    each = {kind: told[kind] / len(crowd.listeners) for kind in ("typing", "presence")}
    run.bound("typing", len(spammers) * 2 * (seconds // 3 + 1), each["typing"], unit="")
    run.bound("presence", 4 * seconds + 8, each["presence"], unit="")
    run.bound("heard_at_all", 1, each["typing"], unit="", at_least=True)
    await crowd.settle()
    await run.judge(crowd)
    await run.judge_presence(crowd)


async def _flap(run: Run, person: Person, room: int, seconds: float) -> None:
    """A third device, now here and now not; it is slower than the others only by its handshakes."""
    loop, number = asyncio.get_running_loop(), 0
    until = loop.time() + seconds
    while loop.time() < until:
        one = Flooder(person, room, 0)
        await one.open(run.site.ports[number % 2])
        one.subscribe()
        await asyncio.sleep(0.05)
        one.close()
        number += 1
        run.operations["flaps"] += 1
