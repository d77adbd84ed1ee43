"""The threads in which requests are answered."""

import asyncio
import threading

import pytest

from core import threads as module
from core.threads import Threads, TooLate, aside

SECONDS = 5  # for anything


@pytest.fixture
def few():
    return Threads(few=1, most=3, longest=SECONDS, longest_new=SECONDS)


class Held:
    """Work that waits until it may go on; says what was worked at, in which order."""

    def __init__(self):
        self.order, self.go = [], threading.Event()

    def work(self, name, is_aside=False):
        def do():
            self.order.append(name)
            if is_aside:
                with aside():
                    self.go.wait(SECONDS)
            elif name == "first":
                self.go.wait(SECONDS)
            return name

        return do

    async def until(self, count):
        async with asyncio.timeout(SECONDS):
            while len(self.order) < count:
                await asyncio.sleep(0.001)  # a look


async def test_who_is_in_goes_before_who_came_earlier_and_is_new(few):
    held = Held()
    first = few.run(held.work("first"), is_new=False)
    await held.until(1)
    others = [few.run(held.work("new"), is_new=True), few.run(held.work("known"), is_new=False)]
    held.go.set()
    assert await asyncio.gather(first, *others) == ["first", "new", "known"]
    assert held.order == ["first", "known", "new"]


async def test_the_new_have_half_of_the_threads_and_each_gets_its_turn():
    some, held = Threads(4, 4, SECONDS, SECONDS), Held()
    asked = [some.run(held.work("first"), is_new=True) for _ in range(6)]
    await held.until(2)
    assert await some.run(held.work("known"), is_new=False) == "known"
    assert held.order == ["first", "first", "known"]
    held.go.set()
    async with asyncio.timeout(SECONDS):
        assert await asyncio.gather(*asked) == ["first"] * 6


async def test_who_waits_for_others_leaves_the_thread_to_the_next(few):
    held = Held()
    waiting = few.run(held.work("waits", is_aside=True), is_new=False)
    await held.until(1)
    assert await few.run(held.work("next"), is_new=False) == "next"
    held.go.set()
    assert await waiting == "waits"
    for _ in range(3):  # one of the two threads ends; the other is there
        assert await few.run(held.work("later"), is_new=False) == "later"


async def test_where_all_wait_for_something_more_threads_come(few, monkeypatch):
    monkeypatch.setattr(module, "STUCK_SECONDS", 0.05)
    monkeypatch.setattr(module, "IDLE_SHARE", 100)  # whatever else this machine does
    held = Held()
    first = few.run(held.work("first"), is_new=False)
    await held.until(1)
    async with asyncio.timeout(SECONDS):
        assert await few.run(held.work("next"), is_new=False) == "next"
    held.go.set()
    assert await first == "first"


async def test_who_has_waited_for_too_long_is_told_so():
    some, held = Threads(1, 1, longest=SECONDS, longest_new=0.05), Held()
    first = some.run(held.work("first"), is_new=False)
    await held.until(1)
    late = some.run(held.work("new"), is_new=True)
    with pytest.raises(TooLate):
        async with asyncio.timeout(SECONDS):
            await late
    held.go.set()
    assert await first == "first" and held.order == ["first"]


async def test_a_fault_is_raised_where_it_is_waited_for_and_the_thread_stays(few):
    with pytest.raises(ZeroDivisionError):
        await few.run(lambda: 1 / 0, is_new=False)
    assert await few.run(threading.get_ident, is_new=False) == await few.run(
        threading.get_ident, is_new=False
    )


async def test_who_has_gone_is_no_fault(few):
    held = Held()
    gone = few.run(held.work("first"), is_new=False)
    await held.until(1)
    gone.cancel()
    held.go.set()
    assert await few.run(held.work("next"), is_new=False) == "next"
