"""Followers without a process: a test takes their steps itself."""

import pytest

from messaging import log
from messaging.followers import positions, steps
from messaging.followers.counters import Counters
from messaging.followers.follower import Follower, LineFollower
from messaging.log.event import Event

ROOMS = 64


class Recorder(LineFollower):
    """Writes down what it was given, and fails at what it is told to."""

    name = "recorder"

    def __init__(self, name: str = "recorder", starts_at: str = "beginning") -> None:
        self.name, self.starts_at = name, starts_at
        self.lines: list[Event] = []
        self.fails_at: set[str] = set()

    def apply(self, lines) -> None:
        if any(line.body in self.fails_at for line in lines):
            raise ZeroDivisionError("poison")
        self.lines += lines

    def seqs(self, room) -> list[int]:
        return [line.seq for line in self.lines if line.room == room.pk]


def follow(follower: Follower) -> None:
    """To the end of all logs."""
    assert steps.begin(follower)
    while rooms := positions.behind(follower.name, after=0, limit=ROOMS):
        steps.take(follower, rooms)


def say(room, user, *bodies: str) -> None:
    for body in bodies:
        log.append(room.pk, "message", [user.pk], body)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def counters() -> Counters:
    return Counters()
