"""1,000 people come to a room of 100 at once, by two processes: ours as they come by sockets, who
wait on the event loop, and as they come by pages, who wait in threads; beside it one Redis lock
per join, then the seat in a transaction, as the original did it.

Exactly 100 must have a seat in both. A person is answered when seated or told that it is full.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from typing import Any

import psycopg
from redis import Redis

from bench import cpu
from bench.people import people, rooms
from bench.scenarios import hand
from bench.servers import Servers

PEOPLE, SEATS, PROCESSES = 1_000, 100, 2
GOAL = 10
LOCK_WAIT, LOCK_LEASE = 10, 1  # seconds, as in the original
LOCK_KEPT = 60  # seconds
FOUND = """
SELECT personnel, last_seq, (SELECT count(*) FROM rooms_membership m WHERE m.room_id = r.id)
FROM rooms_room r WHERE r.id = %s"""


def run(servers: Servers, *, short: bool, tell: Callable[[str], None]) -> dict[str, Any]:
    repeats = 3 if short else 7
    around = hand.migrated(servers, "bench_joins")
    runs: dict[str, list[dict[str, float]]] = {
        "ours": [],
        "ours_by_threads": [],
        "lock_per_join": [],
    }
    if not short:
        runs["polled_lock_per_join"] = []
    with psycopg.connect(around["DATABASE_URL"], autocommit=True) as database:
        crowd = people(database, PEOPLE)
        with hand.hands("bench.scenarios.joins", around, PROCESSES) as workers:
            for worker in workers:
                worker.ask("ready")
            for turn in range(repeats):
                tell(f"joins: {turn + 1} of {repeats}")
                for name, some in runs.items():
                    (room,) = rooms(database, crowd[0], 1, SEATS)
                    some.append(_measure(servers, workers, name, room, crowd))
                    _check(database, name, room)
    figures: dict[str, Any] = {name: hand.medians(some) for name, some in runs.items()}
    for unit in ("per_second", "per_cpu_second"):
        ratio = figures["ours"][unit] / figures["lock_per_join"][unit]
        figures[f"{unit}_ratio"] = round(ratio, 1)
    return figures | {"people": PEOPLE, "seats": SEATS, "processes": PROCESSES, "goal": GOAL}


def _measure(
    servers: Servers, workers: list[hand.Hand], name: str, room: int, crowd: list[int]
) -> dict[str, float]:
    processes = [*(worker.process.pid for worker in workers), *servers.pids.values()]
    used, began = cpu.seconds(processes), time.perf_counter()
    for number, worker in enumerate(workers):
        worker.tell("crowd", how=name, room=room, person_ids=crowd[number::PROCESSES])
    answers = Counter()
    for worker in workers:
        answers.update(worker.answer())
    took, used = time.perf_counter() - began, cpu.seconds(processes) - used
    assert answers.total() == PEOPLE, answers
    return {
        "seconds": took,
        "per_second": (answers["seated"] + answers["full"]) / took,
        "per_cpu_second": (answers["seated"] + answers["full"]) / used,
        "seated": answers["seated"],
        "gave_up": answers["gave up"],
    }


def _check(database: psycopg.Connection, name: str, room: int) -> None:
    personnel, lines, seats = database.execute(FOUND, [room]).fetchone()
    if name.startswith("polled"):  # most give up, and a lease that ends too early loses a count
        return
    assert personnel == seats == SEATS, (name, personnel, seats)
    assert not name.startswith("ours") or lines == SEATS, (
        "each who was seated has a line in the log"
    )


# --- in the workers ---------------------------------------------------------------------------


def ready() -> bool:
    """Connections and threads are made before the first crowd."""
    from rooms.models import Room

    return Room.objects.exists()


def crowd(how: str, room: int, person_ids: list[int]) -> dict[str, int]:
    """Everybody at once, each in a thread of their own, as requests come."""
    if how == "ours":
        return asyncio.run(_by_sockets(room, person_ids))
    from django.db import connection

    join = JOINS[how]

    def one(person_id: int) -> str:
        try:
            return join(room, person_id)
        finally:
            connection.close()  # as at the end of a request: back to the pool

    with ThreadPoolExecutor(len(person_ids)) as threads:
        return Counter(threads.map(one, person_ids))


async def _by_sockets(room: int, person_ids: list[int]) -> dict[str, int]:
    """ENTER of STOMP, as interfaces/stomp/commands.py waits for it."""
    from accounts.models import User
    from messaging import services

    joins = (services.ajoin(room, User(pk=person_id)) for person_id in person_ids)
    return Counter(_said(one) for one in await asyncio.gather(*joins, return_exceptions=True))


def _said(answer: object) -> str:
    from django.core.exceptions import ValidationError

    if isinstance(answer, ValidationError):
        return "full" if answer.code == "room_full" else str(answer.code)
    return "seated" if answer is True else repr(answer)


def _ours(room: int, person_id: int) -> str:
    from django.core.exceptions import ValidationError

    from accounts.models import User
    from messaging import services

    try:
        return _said(services.join(room, User(pk=person_id)))
    except ValidationError as error:
        return _said(error)


def _lock_per_join(room: int, person_id: int) -> str:
    """Lock, look, count one more, insert, commit, unlock: for each person.

    The lock is a token in a list: who waits is woken in turn, as the original's lock wakes them.
    """
    from django.conf import settings

    redis, name = _redis(settings.REDIS_URL), f"bench:{room}"
    if redis.set(f"{name}:made", 1, nx=True, ex=LOCK_KEPT):
        redis.rpush(name, "token")
    if redis.blpop([name], timeout=LOCK_WAIT) is None:
        return "gave up"
    try:
        return _take_seat(room, person_id)
    finally:
        redis.pipeline().rpush(name, "token").expire(name, LOCK_KEPT).execute()


def _polled_lock_per_join(room: int, person_id: int) -> str:
    """The same with redis-py's lock, which those who wait ask again and again."""
    from django.conf import settings
    from redis.exceptions import LockError

    lock = _redis(settings.REDIS_URL).lock(
        f"bench:{room}", timeout=LOCK_LEASE, blocking_timeout=LOCK_WAIT
    )
    if not lock.acquire():
        return "gave up"
    try:
        return _take_seat(room, person_id)
    finally:
        with suppress(LockError):  # the lease ended before the work did
            lock.release()


def _take_seat(room_id: int, person_id: int) -> str:
    from django.db import transaction

    from rooms.models import Membership, Room

    with transaction.atomic():
        room = Room.objects.get(pk=room_id)
        if room.personnel >= room.capacity:
            return "full"
        Membership.objects.create(room=room, user_id=person_id)
        room.personnel += 1
        room.save(update_fields=["personnel"])
    return "seated"


JOINS = {
    "ours_by_threads": _ours,
    "lock_per_join": _lock_per_join,
    "polled_lock_per_join": _polled_lock_per_join,
}


@cache
def _redis(url: str) -> Redis:
    return Redis.from_url(url)


if __name__ == "__main__":
    hand.obey(ready=ready, crowd=crowd)
