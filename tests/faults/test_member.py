"""What a member of the harness shows, and what it tells of it."""

import json
import random

import pytest

from faults.history import History
from faults.member import Member


@pytest.fixture
def bob():
    return Member("bob", None, 7, [0], History(), random.Random(1))


def hear(member, *frames):
    for frame in frames:
        member._heard(json.dumps(frame).encode())


def subscribed(head):
    return {"type": "subscribed", "room": 7, "head": head, "recovered": True}


def lines(*seqs):
    return [
        {"type": "event", "room": 7, "seq": seq, "kind": "message", "cid": str(seq)} for seq in seqs
    ]


async def test_a_line_that_one_subscription_tells_twice_is_shown_once_and_counts(bob):
    hear(bob, subscribed(0), *lines(1, 2, 2))
    assert [seq for seq, _ in bob.screen.shown] == [1, 2]
    assert bob.screen.repeats == 1


async def test_what_the_next_subscription_tells_again_is_its_right(bob):
    hear(bob, subscribed(0), *lines(1, 3), subscribed(3), *lines(2, 3))
    assert [seq for seq, _ in bob.screen.shown] == [1, 3, 2]
    assert (bob.screen.repeats, bob.screen.last) == (0, 3)
