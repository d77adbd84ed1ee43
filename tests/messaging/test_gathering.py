"""What is heard of a room goes on at once, or together where much comes and the loop is late."""

import asyncio
import time

import pytest

from messaging.live import gathering
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
    yield found
    found.close()


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


async def test_of_a_room_that_was_just_handed_on_more_waits_for_the_tick_and_others_do_not(
    gathered, monkeypatch
):
    monkeypatch.setattr(gathering, "TICK_SECONDS", (0.1, 0.1))
    put(gathered, 1, 1)
    await turn()
    for seq in (2, 3):
        put(gathered, 1, seq)
        await turn()
    put(gathered, 2, 1)
    await turn()
    assert gathered.handed_on == [(1, [1]), (2, [1])]
    await asyncio.sleep(0.15)
    assert gathered.handed_on[2:] == [(1, [2, 3])]


async def test_who_was_quiet_for_a_tick_waits_no_more(gathered):
    put(gathered, 1, 1)
    await asyncio.sleep(0.1)
    put(gathered, 1, 2)
    await turn()
    assert gathered.handed_on == [(1, [1]), (1, [2])]


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
