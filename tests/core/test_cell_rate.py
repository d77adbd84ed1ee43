"""How fast someone may go: what is counted in one process, by a clock that stands still."""

import pytest

from core.rate_limits import in_process
from core.rate_limits.in_process import CellRate, Pace


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

    monkeypatch.setattr(in_process.time, "monotonic", lambda: Clock.now)
    return Clock


def test_a_burst_goes_at_once_and_then_the_rate_holds(clock):
    limit = CellRate(rate=2, burst=3)
    assert [limit.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]
    clock.now += 0.5
    assert [limit.wait("a"), limit.wait("a")] == [0, 0.5]


def test_waiting_fills_the_burst_again_but_no_more(clock):
    limit = CellRate(rate=2, burst=3)
    clock.now += 3600
    assert [limit.wait("a") == 0 for _ in range(4)] == [True, True, True, False]


def test_each_key_has_its_own_pace(clock):
    limit = CellRate(rate=1, burst=1)
    assert [limit.wait("a"), limit.wait("b"), limit.wait("a")] == [0, 0, 1]


def test_what_went_elsewhere_counts(clock):
    limit = CellRate(rate=2, burst=3)
    limit.count("a")
    limit.count("a")
    assert [limit.wait("a"), limit.wait("a")] == [0, 0.5]


@pytest.mark.parametrize("go", [CellRate.wait, CellRate.count])
def test_those_whose_time_has_passed_are_forgotten(clock, monkeypatch, go):
    monkeypatch.setattr(in_process, "FORGET_ABOVE", 10)
    limit = CellRate(rate=1, burst=1)
    for key in range(10):
        go(limit, key)
    clock.now += 2
    go(limit, "new")
    assert list(limit._due) == ["new"]


def test_a_connection_that_counts_for_itself_is_as_fast_as_a_key(clock):
    rate = CellRate(rate=2, burst=3)
    one, other = Pace(rate), Pace(rate)
    assert [one.wait() for _ in range(4)] == [rate.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert other.left() == 0
    clock.now += 0.5
    assert [one.left(), one.wait(), one.wait()] == [0, 0, 0.5]


def test_what_is_worth_many_makes_nobody_wait_for_longer_than_is_said(clock):
    one = Pace(CellRate(rate=2, burst=3))
    one.count(4, longest=60)
    assert one.left() == 1
    one.count(1_000, longest=5)
    assert one.left() == 5
