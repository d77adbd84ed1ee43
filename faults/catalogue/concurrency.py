"""C1–C5: the same at the same time, at different doors, late, and by different clocks."""

import asyncio
from collections import Counter
from uuid import uuid4

from bench.ours import Person
from faults import clock, doors, rest
from faults.crowd import Crowd
from faults.doors import Door
from faults.run import Run, scenario


@scenario("C1", "fifty say one message under one id, at all doors of both workers", seeds=10)
async def same_id(run: Run) -> None:
    crowd = await run.crowd(2, 6)
    opened = await doors.each(run.site.ports, crowd.senders[0].person, 50)
    for number in range(50 if run.is_full else 10):
        run.nemesis.begin("repeats", str(number))
        answers = await _all_say(run, opened, crowd.room, str(uuid4()), [f"one {number}"] * 50)
        run.nemesis.end("repeats", str(number))
        run.counts["dup_stored"] += len({answer.seq for answer in answers}) - 1
        run.counts["unconverged"] += sum(bool(answer.code) for answer in answers)
    _close(opened)
    await crowd.settle()
    await run.judge(crowd)


@scenario("C2", "many say different things under one id", seeds=10)
async def other_body(run: Run) -> None:
    """The first one stays; the others are told that the id is taken."""
    crowd = await run.crowd(1, 6)
    opened = await doors.each(run.site.ports, crowd.senders[0].person, 12)
    for number in range(50 if run.is_full else 15):
        run.nemesis.begin("conflict", str(number))
        cid, bodies = str(uuid4()), [f"{number} by {which}" for which in range(len(opened))]
        answers = await _all_say(run, opened, crowd.room, cid, bodies)
        again = await _all_say(run, opened, crowd.room, cid, bodies)
        run.nemesis.end("conflict", str(number))
        first = [which for which, answer in enumerate(answers) if not answer.code]
        codes = Counter(answer.code for answer in (*answers, *again))
        run.counts["dup_stored"] += abs(len(first) - 1) + abs(codes[""] - 2)
        run.counts["unconverged"] += 2 * len(opened) - codes[""] - codes["conflict"]
        ((kept, seq),) = await asyncio.to_thread(run.site.rows, STORED, crowd.room, cid)
        seqs = {answer.seq for answer in (*answers, *again) if not answer.code}
        run.counts["lost_durable"] += kept != bodies[first[0]] or seqs != {seq}
    _close(opened)
    await crowd.settle()
    await run.judge(crowd)


STORED = "SELECT body, seq FROM messaging_event WHERE room_id = %s AND client_id = %s"


async def _all_say(
    run: Run, opened: list[Door], room: int, cid: str, bodies: list[str]
) -> list[doors.Answer]:
    pairs = list(zip(opened, bodies, strict=True))
    order = run.dice.sample(range(len(pairs)), len(pairs))
    answers = await asyncio.gather(*(doors.say(run, *_at(pairs, n, room, cid)) for n in order))
    return [answer for _, answer in sorted(zip(order, answers, strict=True))]


def _at(
    pairs: list[tuple[Door, str]], number: int, room: int, cid: str
) -> tuple[Door, int, str, str]:
    door, body = pairs[number]
    return door, room, cid, body


def _close(opened: list[Door]) -> None:
    for door in opened:
        door.close()


@scenario("C3", "what was said is said again a day later, and when older lines are gone", seeds=3)
async def replayed(run: Run) -> None:
    """Each is answered as it was the first time. (There is no editing and deleting to replay.) The
    room is aged where its times are, in the database."""
    crowd = await run.crowd(4, 6)
    async with crowd.talking(100 if run.is_full else 40, pause=0.01):
        pass
    run.nemesis.begin("a day goes by")
    await _age(run, crowd.room, "- interval '25 hours'", 0)
    await _say_all_again(run, crowd, 0)
    run.nemesis.end("a day goes by")
    await crowd.settle()
    await run.judge(crowd)
    run.nemesis.begin("prunemessages")
    half = (await run.room(crowd.room)).last_seq // 2
    await _age(run, crowd.room, "+ interval '25 hours'", half)  # the later half is young
    await asyncio.to_thread(run.site.manage, "prunemessages", "--days", "1")
    await _say_all_again(run, crowd, half)
    run.nemesis.end("prunemessages")
    found = await run.room(crowd.room)
    run.counts["dup_stored"] += abs(len(found.log) - (found.last_seq - half))


SAID = """
SELECT seq, sender_id, client_id::text, body FROM messaging_event
WHERE room_id = %s AND seq > %s AND kind = 'message' ORDER BY seq"""


async def _age(run: Run, room: int, how: str, above: int) -> None:
    sql = f"UPDATE messaging_event SET created_at = created_at {how}"
    await asyncio.to_thread(run.site.change, f"{sql} WHERE room_id = {room} AND seq > {above}")


async def _say_all_again(run: Run, crowd: Crowd, above: int) -> None:
    """By their senders, at any door."""
    opened = {
        one.person.id: await doors.each(run.site.ports, one.person, 6) for one in crowd.senders
    }
    said = await asyncio.to_thread(run.site.rows, SAID, crowd.room, above)
    for seq, sender, cid, body in said:
        door = run.dice.choice(opened[sender])
        answer = await doors.say(run, door, crowd.room, cid, body)
        run.counts["lost_durable"] += answer.seq != seq
    for some in opened.values():
        _close(some)


@scenario("C4", "twenty talk by both workers, and what goes between them is late", seeds=5)
async def delayed(run: Run) -> None:
    """By up to 200 ms, each packet by another time."""
    crowd = await run.crowd(20, 8)
    run.nemesis.begin("delay", "redis")
    run.site.stores.proxies["redis"].be(delay=0.2)
    async with crowd.talking(200 if run.is_full else 50, pause=0.02):
        pass
    run.site.stores.proxies["redis"].mend()
    run.nemesis.end("delay", "redis")
    await run.judge(crowd)


@scenario("C5", "the clock of a worker is two hours ahead, and then two behind", short=False)
async def skewed(run: Run) -> None:
    crowd = await run.crowd(6, 8)
    talk = 200 if run.is_full else 60
    for hours in (2, -2):
        run.nemesis.begin("clock", f"{hours:+} h")
        await run.site.restart_worker(1, **clock.ahead(hours * 3600))
        async with crowd.talking(talk, pause=0.02):
            pass
        await _is_right_at_both(run, crowd)
        await run.judge_presence(crowd)
        run.nemesis.end("clock", f"{hours:+} h")
    await run.judge(crowd)
    for seconds in (8, -8):
        run.nemesis.begin("clock", f"{seconds:+} s")
        await run.site.restart_worker(1, **clock.ahead(seconds))
        run.counts["unhandled"] += await _tokens_refused(run)
        run.nemesis.end("clock", f"{seconds:+} s")


FUTURE = """
SELECT (SELECT count(*) FROM messaging_event
        WHERE room_id = %(room)s AND created_at > now() + interval '1 minute')
     + (SELECT count(*) FROM rooms_room WHERE id = %(room)s
        AND greatest(last_event_at, active_at) > now() + interval '1 minute')"""


async def _is_right_at_both(run: Run, crowd: Crowd) -> None:
    """Nothing is of the future, and unread is what was not read, whomever one asks."""
    room, other = crowd.room, crowd.listeners[0]
    sql = FUTURE.replace("%(room)s", str(room))
    run.counts["phantom"] += (await asyncio.to_thread(run.site.rows, sql))[0][0]
    last = (await run.room(room)).last_seq
    path = f"/api/v1/rooms/{room}/read/"
    for port, left in zip(run.site.ports, (7, 3), strict=True):
        await rest.ask(port, "PUT", path, other.person, {"seq": last - left})
        for where in run.site.ports:
            found = await rest.unread(where, other.person, room)
            run.counts["false_unread"] += found != (last - left, last, left)


async def _tokens_refused(run: Run) -> int:
    """Of tokens that each worker gives, how many the other one does not take."""
    nobody = Person(0, "")
    refused = 0
    for giver, taker in (run.site.ports, run.site.ports[::-1]):
        email = f"clock-{run.dice.randbytes(6).hex()}@example.com"
        proof = {"email": email, "password": "a long and quiet evening"}
        account = proof | {"display_name": "Dana"}
        await rest.ask(giver, "POST", "/api/v1/accounts/", nobody, account)
        tokens = await rest.ask(giver, "POST", "/api/v1/tokens/", nobody, proof)
        headers = {"Authorization": f"Bearer {tokens.said['access']}"}
        mine = await rest.ask(taker, "GET", "/api/v1/me/", nobody, headers=headers)
        refused += mine.status != 200
    return refused
