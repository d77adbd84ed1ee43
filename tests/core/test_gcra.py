import pytest

from core import gcra


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

    monkeypatch.setattr(gcra.time, "monotonic", lambda: Clock.now)
    return Clock


def test_a_burst_goes_at_once_and_then_the_rate_holds(clock):
    limit = gcra.CellRate(rate=2, burst=3)
    assert [limit.wait("a") for _ in range(4)] == [0, 0, 0, 0.5]
    clock.now += 0.5
    assert [limit.wait("a"), limit.wait("a")] == [0, 0.5]


def test_waiting_fills_the_burst_again_but_no_more(clock):
    limit = gcra.CellRate(rate=2, burst=3)
    clock.now += 3600
    assert [limit.wait("a") == 0 for _ in range(4)] == [True, True, True, False]


def test_each_key_has_its_own_pace(clock):
    limit = gcra.CellRate(rate=1, burst=1)
    assert [limit.wait("a"), limit.wait("b"), limit.wait("a")] == [0, 0, 1]


def test_what_went_elsewhere_counts(clock):
    limit = gcra.CellRate(rate=2, burst=3)
    limit.count("a")
    limit.count("a")
    assert [limit.wait("a"), limit.wait("a")] == [0, 0.5]


@pytest.mark.parametrize("go", [gcra.CellRate.wait, gcra.CellRate.count])
def test_those_whose_time_has_passed_are_forgotten(clock, monkeypatch, go):
    monkeypatch.setattr(gcra, "FORGET_ABOVE", 10)
    limit = gcra.CellRate(rate=1, burst=1)
    for key in range(10):
        go(limit, key)
    clock.now += 2
    go(limit, "new")
    assert list(limit._due) == ["new"]
