"""Who comes: 40 hot rooms of 100, and the same people's 40 rooms of which each missed 50 lines."""

from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path

import psycopg

from bench.load.fleet import Share
from bench.ours import Ours, Person
from bench.peers import centrifugo
from bench.scenarios.events import fill
from bench.servers import HOME

ROOMS, MEMBERS, MISSED = 40, 100, 50
SENDERS = 10  # of what was missed

Room = tuple[int, list[str]]  # its name, and a word by which each of its people comes
_numbers = count(1)


def hot(ours: Ours) -> tuple[list[Room], list[Room]]:
    """The rooms that talk, and those that somebody comes back to."""
    crowds = list(ours.rooms(ROOMS, MEMBERS))
    missed = [(ours.room(people), people) for _, people in crowds]
    with psycopg.connect(ours.database, autocommit=True) as database:
        senders = [person.id for person in crowds[0][1][:SENDERS]]
        fill(database, [room for room, _ in missed], senders, 1, MISSED)
    return _by_session(crowds), _by_session(missed)


def many(ours: Ours, rooms: int) -> list[Room]:
    """So many more rooms of new people."""
    return _by_session(ours.rooms(rooms, MEMBERS))


def _by_session(rooms: Iterable[tuple[int, list[Person]]]) -> list[Room]:
    return [(room, [person.session for person in people]) for room, people in rooms]


def strangers() -> list[Room]:
    """For Centrifugo: rooms that it has not seen, and people whom it lets in by a token."""
    users = count(1)
    return [
        (next(_numbers), [centrifugo.token(f"user{next(users)}") for _ in range(MEMBERS)])
        for _ in range(ROOMS)
    ]


def shares(
    rooms: Sequence[Room], ports: Sequence[int], cores: Sequence[int], folder: Path = HOME
) -> list[Share]:
    """A plan for each generator: whole rooms, whose people are dealt out over all ports."""
    found = []
    for number, core in enumerate(cores[: len(rooms)]):
        own = rooms[number :: len(cores)]
        lines = [
            f"{ports[place % len(ports)]} {room} {word}\n"
            for room, words in own
            for place, word in enumerate(words)
        ]
        plan = folder / f"plan-cores-{number}.txt"
        plan.write_text("".join(lines))
        found.append(Share(plan, len(own), core))
    return found
