"""What is heard of a room in one turn goes on together; how late the loop is, is known by that."""

import asyncio
import time

import pytest

from messaging.live.entries import batch
from messaging.live.gathering import Gathering
from messaging.live.lateness import Lateness
from tests.messaging.test_feed import lines


@pytest.fixture
async def gathered():
    """`handed_on` has the rooms, and the first lines of what each got together."""
    found = Gathering(
        lambda room_id, batches: found.handed_on.append((room_id, [one.first for one in batches]))
    )
    found.handed_on = []
    return found


def put(gathered, room_id, *seqs):
    for seq in seqs:
        gathered.put(room_id, batch(lines(seq)))


async def turn():
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_what_comes_in_one_turn_goes_on_together_when_it_ends(gathered):
    put(gathered, 1, 1, 2)
    put(gathered, 2, 1)
    assert gathered.handed_on == []
    await turn()
    assert gathered.handed_on == [(1, [1, 2]), (2, [1])]
    put(gathered, 1, 3)
    await turn()
    assert gathered.handed_on[2:] == [(1, [3])]


async def test_a_loop_that_is_busy_is_found_late(gathered):
    put(gathered, 1, 1)
    time.sleep(0.05)  # somebody else's turn
    await turn()
    assert gathered.lag.seconds > 0.02


def test_what_was_late_once_is_forgotten_soon():
    lag = Lateness()
    lag.measured(1.0)
    assert lag.seconds == 0.5
    for _ in range(20):
        lag.measured(0.0)
    assert lag.seconds < 0.01
