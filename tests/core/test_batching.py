"""Questions of many, answered together."""

import asyncio

import pytest

from core.batching import Batcher
from core.postgresql.breaker import Unavailable

SECONDS = 20.0  # a bound, where it is not what the test is about


class Asked:
    """Answers each number by its double, when `go` is set; keeps what was asked in one go."""

    def __init__(self):
        self.batches, self.go = [], asyncio.Event()

    async def __call__(self, numbers):
        self.batches.append(list(numbers))
        await self.go.wait()
        if 13 in numbers:
            raise ValueError("13")
        return [number * 2 for number in numbers]


async def ask(together, *numbers):
    tasks = [asyncio.create_task(together.ask(number)) for number in numbers]
    for _turn in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_who_comes_while_others_are_answered_is_answered_with_the_next():
    asked = Asked()
    together = Batcher(asked, SECONDS)
    first = await ask(together, 1)
    then = await ask(together, 2, 3, 2)
    assert asked.batches == [[1]]
    asked.go.set()
    assert await asyncio.gather(*first, *then) == [2, 4, 6, 4]
    assert asked.batches == [[1], [2, 3, 2]]


async def test_what_goes_wrong_they_all_hear_and_the_next_are_answered():
    asked = Asked()
    together = Batcher(asked, SECONDS)
    first, then = await ask(together, 13, 1), []
    then += await ask(together, 2)
    asked.go.set()
    for task in first:
        with pytest.raises(ValueError, match="13"):
            await task
    assert await then[0] == 4
    assert await together.ask(3) == 6


async def test_who_goes_away_is_no_matter_to_the_others():
    asked = Asked()
    together = Batcher(asked, SECONDS)
    here, gone = await ask(together, 1, 2)
    (waits,) = await ask(together, 3)
    gone.cancel()
    waits.cancel()
    asked.go.set()
    assert await here == 2
    assert await together.ask(4) == 8
    assert asked.batches == [[1, 2], [4]]


async def test_a_crowd_over_the_bound_is_sent_away_at_once(monkeypatch):
    monkeypatch.setattr("core.batching.WAITING_MAX", 3)
    asked = Asked()
    together = Batcher(asked, SECONDS)
    waiting = await ask(together, 1) + await ask(together, 2, 3, 4)
    with pytest.raises(Unavailable):
        await together.ask(5)
    asked.go.set()
    assert await asyncio.gather(*waiting) == [2, 4, 6, 8]


async def test_a_crowd_is_waited_for_and_who_is_nearly_alone_is_not(monkeypatch):
    monkeypatch.setattr("core.batching.GATHER_SECONDS", 0.1)
    asked = Asked()
    together = Batcher(asked, SECONDS)
    few = await ask(together, 1, 2)
    asked.go.set()
    assert await asyncio.gather(*few) == [2, 4]
    asked.go.clear()
    crowd = await ask(together, 1) + await ask(together, 2, 3, 4, 5)
    asked.go.set()
    await crowd[0]
    crowd += await ask(together, 6, 7)  # within the moment
    assert await asyncio.gather(*crowd) == [2, 4, 6, 8, 10, 12, 14]
    assert asked.batches == [[1, 2], [1], [2, 3, 4, 5, 6, 7]]


async def test_nobody_waits_longer_than_the_bound_not_even_for_those_before():
    asked = Asked()
    together = Batcher(asked, 0.1)
    first = await ask(together, 1)
    then = await ask(together, 2, 3)
    then[0].cancel()
    async with asyncio.timeout(5):
        for task in (*first, then[1]):
            with pytest.raises(Unavailable):
                await task
    asked.go.set()
    assert await together.ask(4) == 8
    assert asked.batches == [[1], [4]]
