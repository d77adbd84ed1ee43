"""How long a batch waits for others: never alone, never for long, and not where nobody comes."""

import asyncio

import pytest

from messaging.live import filling
from messaging.live.filling import Filling


@pytest.fixture
def waiting():
    return {}


@pytest.fixture
def steps(monkeypatch):
    """What is done at each step that a batch waits; its length is all the same."""
    done, sleep = [], asyncio.sleep

    async def step(seconds):
        await sleep(0)
        if seconds:
            done.append(seconds)
            for act in steps_of.pop(0) if steps_of else ():
                act()

    steps_of = []
    monkeypatch.setattr("messaging.live.filling.asyncio.sleep", step)
    return done, steps_of


def come(waiting, count, rooms=1):
    for number in range(len(waiting), len(waiting) + count):
        waiting[number % rooms, 1, number] = object()


async def test_who_is_alone_never_waits(waiting, steps):
    fills = Filling(waiting, 500)
    for _ in range(3):
        come(waiting, 1)
        await fills.wait()
        waiting.clear()
        fills.stored(1)
    assert not steps[0]


async def test_where_messages_keep_coming_a_batch_fills_until_there_are_enough(waiting, steps):
    done, steps_of = steps
    come(waiting, 2, rooms=2)
    fills = Filling(waiting, 500)
    fills.stored(3)
    steps_of += [[lambda: come(waiting, 7, rooms=2)]] * 9
    await fills.wait()
    assert len(waiting) == 2 + 2 * 7 == filling.OWN.enough * 2
    assert len(done) == 2


async def test_nobody_waits_for_longer_than_that(waiting, monkeypatch):
    monkeypatch.setattr(filling, "OWN", filling.OWN._replace(longest=0.01))
    come(waiting, 1)
    fills = Filling(waiting, 500)
    fills.stored(3)
    loop = asyncio.get_running_loop()

    def another():
        come(waiting, 1, rooms=1000)
        coming.append(loop.call_later(filling.STEP_SECONDS / 4, another))

    coming = []
    another()
    async with asyncio.timeout(2):
        await fills.wait()
    coming[-1].cancel()
    assert 1 < len(waiting) < 500


async def test_waiting_in_vain_is_tried_seldom(waiting, steps):
    """All that can come wait for their answers: a step for nothing, then ever more go at once."""
    done, _ = steps
    come(waiting, 1)
    fills = Filling(waiting, 500)
    for _ in range(190):
        fills.stored(1)
        await fills.wait()
    assert len(done) == 7  # after 0, 2, 4, 8, 16, 32 and 64 batches more


async def test_what_others_hand_over_is_waited_for_though_nobody_comes_for_some_steps(
    waiting, steps
):
    done, steps_of = steps
    come(waiting, 2)
    fills = Filling(waiting, 500)
    fills.stored(3)
    fills.others_come()
    now_and_then = [[], [], [lambda: come(waiting, 5)]]
    steps_of += now_and_then * 9
    await fills.wait()
    assert len(waiting) == 17 and len(done) == 9
    waiting.clear()
    fills.stored(17)  # nobody came meanwhile
    come(waiting, 3)
    fills.stored(2)
    del steps_of[:], done[:]
    await fills.wait()
    assert len(done) == 1
