"""N10, N11: coming back with a strange position, and to another room than it was."""

import asyncio
from contextlib import suppress
from typing import Any, Protocol

from chattalk_client import Refused

from bench.ours import Person
from faults import judge, rest
from faults.crowd import Crowd
from faults.guest import Guest
from faults.run import Run, scenario
from messaging.live.frames import RESUME_BYTES_MAX, RESUME_MAX

LONG = "x" * 3_900
Line = dict[str, Any]
NO_POSITION = [-1, 2**63, 10**30, 1.5, "5", True, [], {}]  # what no position is


@scenario(
    "N10",
    "resumes from where nobody can be: too far back, the future, another room, pruned",
    short=False,
)
async def strange_positions(run: Run) -> None:
    """All of what came after, or the word that it can't be told: never a part. Once in quiet, once
    while others talk."""
    crowd, other = await run.crowd(4, 2, spare=1), await run.crowd(4, 1, spare=1)
    async with crowd.talking(RESUME_MAX // 4 + 60, pause=0.0), other.talking(20):
        pass
    for port in run.site.ports:
        guest = await Guest.come("returns", crowd.spare[0], port, run.history)
        await _resume_all(run, guest, crowd, other)
        async with crowd.talking(100, pause=0.02):
            await _resume_all(run, guest, crowd, other)
        await _too_much(run, guest)
        guest.go()
    await _pruned(run, other)
    await run.judge(crowd)


async def _resume_all(run: Run, guest: Guest, crowd: Crowd, other: Crowd) -> None:
    head, elsewhere = [(await run.room(one.room)).last_seq for one in (crowd, other)]
    positions: list[Any] = [0, head, head + 1, head + 1000, 2**31, 2**53, 2**63 - 1, elsewhere]
    positions += [head - RESUME_MAX - 1, head - RESUME_MAX, head - RESUME_MAX + 1]
    positions += [run.dice.randint(0, head) for _ in range(10)] + NO_POSITION
    run.dice.shuffle(positions)
    for position in positions:
        run.nemesis.begin("resume", str(position))
        await _resume(run, guest, crowd.room, position)
        run.nemesis.end("resume", str(position))


async def _resume(
    run: Run, guest: Guest, room: int, after: Any, *, may_be_too_much: bool = False
) -> bool:
    """Whether it could be told what came after."""
    stream = guest.lines[room]
    stream.clear()
    answer = await guest.ask(type="subscribe", room=room, after=after)
    is_position = type(after) is int and 0 <= after < 2**63
    if answer["type"] == "nack":
        run.counts["lost_delivery"] += is_position or answer["code"] != "bad_frame"
        return False
    head, begin, recovered = answer["head"], answer["after"], answer["recovered"]
    await guest.until(lambda: len(stream) >= head - begin)
    run.counts += judge.stream(stream, begin)
    run.counts["lost_delivery"] += max(0, head - begin - len(stream))
    run.counts["phantom"] += not is_position  # it was no place to begin at
    run.counts["gaps"] += begin != (after if recovered else head)
    if is_position and 0 <= head - after <= RESUME_MAX:
        run.counts["lost_delivery"] += not (recovered or may_be_too_much)
    run.operations["shown"] += len(stream)
    run.operations["reloads"] += not recovered
    await guest.ask(type="unsubscribe", room=room)
    return bool(recovered)


async def _too_much(run: Run, guest: Guest) -> None:
    """Few lines, and more than a resume may weigh."""
    room = await asyncio.to_thread(run.site.room, [guest.person])
    many = RESUME_BYTES_MAX // len(LONG) + 1
    for _ in range(many):
        await guest.say(room, LONG)
    run.counts["phantom"] += await _resume(run, guest, room, 0, may_be_too_much=True)
    run.counts["lost_delivery"] += not await _resume(run, guest, room, many - 10)


async def _pruned(run: Run, crowd: Crowd) -> None:
    """The earlier half of a log is gone: a place in it is none to begin at."""
    room, head = crowd.room, (await run.room(crowd.room)).last_seq
    first = head // 2
    aged = "UPDATE messaging_event SET created_at = created_at - interval '25 hours'"
    await asyncio.to_thread(run.site.change, f"{aged} WHERE room_id = {room} AND seq < {first}")
    await asyncio.to_thread(run.site.manage, "prunemessages", "--days", "1")
    for number in range(len(run.site.workers)):
        await run.nemesis.deploy(number)  # what they remember is gone, too
        guest = await Guest.come("returns", crowd.spare[0], run.site.ports[number], run.history)
        for position in (0, 1, first - 2):
            told = await _resume(run, guest, room, position, may_be_too_much=True)
            run.counts["gaps"] += told
        for position in (first - 1, first, head):
            await _resume(run, guest, room, position)
        guest.go()


# --- another room than it was -------------------------------------------------------------------


@scenario("N11", "somebody is away while the room changes: seats, owner, card, end and beginning")
async def changed_meanwhile(run: Run) -> None:
    """What they find when they come back is what one finds who comes for the first time. (There is
    no editing or deleting of messages.)"""
    crowd = await run.crowd(3, 2, capacity=20, spare=2)
    traveller, other = crowd.spare
    log: list[Line] = []
    for number in range(30 if run.is_full else 8):
        log += await _come_back(run, crowd, traveller, number % 2, log)
        seats = [_Seat(traveller)] * run.dice.randint(0, 2)
        changes: list[_Change] = [
            _say,
            _say,
            _close,
            _open,
            _hand_over,
            _edit,
            _Seat(other),
            *seats,
        ]
        for change in run.dice.sample(changes, len(changes)):
            run.nemesis.begin("change", change.__name__)
            await change(run, crowd)
            run.nemesis.end("change", change.__name__)
    await _open(run, crowd)  # else who lost their seat would get none
    log += await _come_back(run, crowd, traveller, 0, log)
    run.counts["lost_delivery"] += len(log) != (await run.room(crowd.room)).last_seq
    await crowd.settle()
    await run.judge(crowd, may_refuse=["room_closed"])


async def _come_back(
    run: Run, crowd: Crowd, person: Person, worker: int, log: list[Line]
) -> list[Line]:
    """What they had not seen yet; nothing while they have no seat and get none. Who has none is
    told nothing of the inside."""
    guest = await Guest.come("traveller", person, run.site.ports[worker], run.history)
    room, after = crowd.room, log[-1]["seq"] if log else 0
    answer = await guest.ask(type="subscribe", room=room, after=after)
    if answer["type"] == "nack":
        inside = await _ask(run, "GET", f"{room}/events/", person)
        run.counts["phantom"] += inside.status != 404 or bool(guest.lines[room])
        run.counts["unhandled"] += answer["code"] != "not_member"
        joined = await _ask(run, "PUT", f"{room}/membership/", person)
        if joined.status != 201:
            run.counts["lost_slots"] += joined.code != "room_closed"
            guest.go()
            return []
        answer = await guest.ask(type="subscribe", room=room, after=after)
    run.counts["lost_delivery"] += not answer["recovered"]
    lines = guest.lines[room]
    await guest.until(lambda: len(lines) >= answer["head"] - after)
    guest.go()
    await _compare(run, room, person, answer, [*log, *lines])
    return lines


async def _compare(
    run: Run, room: int, person: Person, answer: dict[str, Any], seen: list[Line]
) -> None:
    """With what is loaded anew, at both workers: the log, the card, what is read."""
    found = await run.room(room)
    for port in run.site.ports:
        log: list[Line] = []
        while len(log) < len(seen):
            path = f"/api/v1/rooms/{room}/events/?after={len(log)}&limit=100"
            log += (await rest.ask(port, "GET", path, person)).said["results"]
        run.counts["lost_delivery"] += sum(map(dict.__ne__, log, seen)) + (len(log) != len(seen))
        card = (await rest.ask(port, "GET", f"/api/v1/rooms/{room}/", person)).said
        run.counts["drift"] += card["personnel"] != found.members
        position = await rest.unread(port, person, room)
        run.counts["false_unread"] += position[:2] != (answer["read"], found.last_seq)
    run.operations["shown"] += len(seen)


async def _ask(run: Run, method: str, path: str, person: Person, body: Any = None) -> rest.Answer:
    port = run.dice.choice(run.site.ports)
    return await rest.ask(port, method, f"/api/v1/rooms/{path}", person, body)


async def _by_owner(run: Run, crowd: Crowd, method: str, path: str, body: Any = None) -> None:
    """Whoever that is by now."""
    people = {one.person.id: one.person for one in crowd.all}
    card = await _ask(run, "GET", f"{crowd.room}/", crowd.all[0].person)
    owner = people[card.said["owner"]["id"]]
    answer = await _ask(run, method, f"{crowd.room}/{path}", owner, body)
    run.counts["unhandled"] += answer.status >= 500


async def _say(run: Run, crowd: Crowd) -> None:
    with suppress(Refused):  # closed
        await run.dice.choice(crowd.senders).say(f"said {run.dice.random()}")


async def _close(run: Run, crowd: Crowd) -> None:
    await _by_owner(run, crowd, "POST", "close/")


async def _open(run: Run, crowd: Crowd) -> None:
    await _by_owner(run, crowd, "POST", "reopen/")


async def _hand_over(run: Run, crowd: Crowd) -> None:
    heir = run.dice.choice(crowd.all).person.id
    await _by_owner(run, crowd, "POST", "transfer/", {"user": heir})


async def _edit(run: Run, crowd: Crowd) -> None:
    body = {"title": f"Room {run.dice.random()}", "capacity": run.dice.randint(8, 20)}
    await _by_owner(run, crowd, "PATCH", "", body)


class _Change(Protocol):
    __name__: str

    async def __call__(self, run: Run, crowd: Crowd, /) -> None: ...


class _Seat:
    """Taken, or given back: by themselves or by the owner."""

    __name__ = "seat"

    def __init__(self, person: Person) -> None:
        self.person = person

    async def __call__(self, run: Run, crowd: Crowd) -> None:
        mine = f"{crowd.room}/membership/"
        if (await _ask(run, "GET", mine, self.person)).status == 404:
            await _ask(run, "PUT", mine, self.person)
        elif run.dice.random() < 0.5:
            await _ask(run, "DELETE", mine, self.person)
        else:
            await _by_owner(run, crowd, "DELETE", f"members/{self.person.id}/")
