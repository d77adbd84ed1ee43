"""What a breaker knows, who asks on while a store is down, and what stands on the log."""

import asyncio
import logging
import threading
import time

import pytest

from core.breaker import AskingByTask, AskingByThread, Breaker
from core.postgresql.breaker import breaker as postgresql

MANY = 20  # threads


class Store:
    """One that can be put out of order; it counts who knocks."""

    def __init__(self):
        self.is_up, self.knocks = False, 0

    def knock(self, seconds=0.0):
        time.sleep(seconds)
        self.knocks += 1
        if not self.is_up:
            raise OSError("gone\nand more of it")


def until(what, seconds=5.0):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


def at_once(work):
    """Their answers, of many threads that begin together."""
    begin, found = threading.Barrier(MANY), []

    def one():
        begin.wait(5)
        found.append(work())

    threads = [threading.Thread(target=one) for _ in range(MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return found


def by_thread(store, **named):
    return AskingByThread(
        "It is away",
        "It is here",
        name="asks-on",
        knock=store.knock,
        failures=OSError,
        every=0.02,
        **named,
    )


def asking_threads():
    return [one for one in threading.enumerate() if one.name == "asks-on"]


def said(caplog):
    return [(record.levelname, record.message) for record in caplog.records]


def test_the_log_has_one_line_when_it_goes_and_one_when_it_comes(caplog):
    turned = []
    one = Breaker("It is away", "It is here", turned=lambda: turned.append(one.is_down))
    one.answered()
    for _ in range(3):
        one.failed(OSError("gone\nand more of it"))
    for _ in range(3):
        one.answered()
    assert said(caplog) == [("WARNING", "It is away: gone"), ("WARNING", "It is here")]
    assert turned == [True, False]


def test_without_words_nothing_is_said(caplog):
    one = Breaker()
    one.failed("gone")
    assert one.is_down
    one.answered()
    assert not one.is_down and said(caplog) == []


def test_why_is_the_last_that_was_heard_and_gone_with_it():
    one = Breaker()
    assert one.why == ""
    one.failed("it wrote too much", "disk full")
    one.failed("somebody turned a switch", "read only")
    assert one.why == "read only"
    one.answered()
    assert one.why == ""


def test_of_all_who_come_one_tries_and_the_next_after_a_while():
    one = Breaker(seconds=0.3)
    assert at_once(one.may_try) == [True] * MANY
    one.failed("gone")
    assert at_once(one.may_try) == [False] * MANY
    until(lambda: not one.is_down)  # nobody has tried for a while
    one.seconds = 60.0
    assert sorted(at_once(one.may_try)) == [False] * (MANY - 1) + [True]
    one.answered()
    assert at_once(one.may_try) == [True] * MANY


def test_one_that_nobody_tries_for_a_while_is_not_down_and_nothing_is_said_anew(caplog):
    one = Breaker("It is away", seconds=0.01)
    one.failed("gone", "disk full")
    until(lambda: not one.is_down)
    assert one.why == ""
    one.failed("gone", "disk full")
    assert len(said(caplog)) == 1


def test_what_goes_on_is_said_again_after_a_while(caplog):
    one = Breaker("It is away", repeat_seconds=0.1)
    until(lambda: one.failed("gone") or len(said(caplog)) == 3)
    first, *_, last = [record.created for record in caplog.records]
    assert last - first >= 0.19


def test_many_threads_that_fail_at_once_turn_it_once(caplog):
    turned = []
    one = Breaker("It is away", "It is here", turned=lambda: turned.append(1))
    at_once(lambda: one.failed("gone"))
    at_once(one.answered)
    assert len(said(caplog)) == len(turned) == 2


def test_what_was_forgotten_is_not_down():
    one = Breaker()
    one.failed("gone", "disk full")
    one.forget()
    assert (one.is_down, one.why, one.may_try()) == (False, "", True)


def test_all_who_doubt_at_once_ask_once():
    store = Store()
    store.is_up = True
    one = by_thread(store)
    one._knock = lambda: store.knock(0.2)
    assert at_once(one.doubt) == [False] * MANY
    assert store.knocks == 1
    one.doubt()
    assert store.knocks == 2  # an old answer is no answer


def test_a_thread_asks_on_until_it_answers(caplog):
    store, told = Store(), []
    one = by_thread(store)
    one.before_each = lambda: told.append(one.is_down)
    assert one.doubt()
    until(lambda: store.knocks > 3)
    assert one.doubt() and len(asking_threads()) == 1
    store.is_up = True
    until(lambda: not asking_threads())
    assert not one.is_down and all(told) and len(told) == store.knocks - 1
    assert said(caplog) == [("ERROR", "It is away: gone"), ("WARNING", "It is here")]


def test_one_thread_asks_on_even_if_it_came_and_went_meanwhile():
    store = Store()
    one = by_thread(store)
    for _ in range(10):
        one.failed("gone")
        one.answered()
    one.failed("gone")
    assert len(asking_threads()) == 1
    store.is_up = True
    until(lambda: not asking_threads())
    assert not one.is_down


def test_what_says_nothing_of_the_store_is_no_failure():
    store, judged = Store(), []
    one = by_thread(store, judge=judged.append)
    assert not one.doubt()
    assert [str(error) for error in judged] == ["gone\nand more of it"] and not asking_threads()


def test_who_doubts_in_a_thread_does_not_wait_and_is_one_of_few():
    store = Store()
    one = by_thread(store)
    one._knock = lambda: store.knock(0.3)
    began = time.monotonic()
    one.doubt_in_thread()
    until(one._asking.locked)
    for _ in range(MANY):
        one.doubt_in_thread()
    assert time.monotonic() - began < 0.3 and len(asking_threads()) == 1
    until(lambda: one.is_down)
    store.is_up = True
    until(lambda: not asking_threads())


@pytest.fixture
def started():
    return set()


def by_task(store, started, **named):
    async def knock():
        store.knock()

    def start(work):
        task = asyncio.get_running_loop().create_task(work)
        started.add(task)
        task.add_done_callback(started.discard)

    return AskingByTask(
        "It is away",
        "It is here",
        knock=knock,
        failures=OSError,
        every=0.01,
        start=start,
        **named,
    )


async def test_a_task_asks_on_until_it_answers(caplog, started):
    store, turned = Store(), []
    one = by_task(store, started, turned=lambda: turned.append(one.is_down))
    one.failed(OSError("gone"))
    one.failed(OSError("gone"))
    assert len(started) == 1
    async with asyncio.timeout(5):
        while store.knocks < 3:
            await asyncio.sleep(0.005)
        store.is_up = True
        await asyncio.gather(*started)
    assert not one.is_down and not started and turned == [True, False]
    assert said(caplog) == [("WARNING", "It is away: gone"), ("WARNING", "It is here")]


def test_a_postgresql_that_is_there_is_asked_and_not_down(db, caplog):
    """Told otherwise, it finds out by itself."""
    with caplog.at_level(logging.WARNING):
        assert postgresql.doubt() is False
        postgresql.failed("as if")
        assert postgresql.doubt() is True
        until(lambda: not postgresql.is_down)
    assert said(caplog) == [
        ("ERROR", "PostgreSQL does not answer: as if"),
        ("WARNING", "PostgreSQL answers again"),
    ]
