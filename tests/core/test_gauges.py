"""Metrics that are read from the database: seldom, and in silence while it is away."""

import pytest
from django.db import OperationalError, ProgrammingError

from core.postgresql import gauges


class Asked:
    def __init__(self, *answers):
        self.answers, self.times = list(answers), 0

    def __call__(self):
        self.times += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def kept(monkeypatch):
    """A test's connection is in a transaction that is rolled back."""
    monkeypatch.setattr(gauges.connection, "close", lambda: None, raising=False)


def test_all_who_look_at_the_same_time_are_one_question():
    ask = Asked(3.0, 4.0)
    read = gauges.asked_seldom(ask, None)
    assert [read(), read(), read()] == [3.0, 3.0, 3.0] and ask.times == 1


def test_while_the_database_is_away_nothing_is_told_and_nothing_is_said(caplog, monkeypatch):
    read = gauges.asked_seldom(Asked(OperationalError("gone")), None)
    assert read() is None
    monkeypatch.setattr(type(gauges.breaker), "is_down", True)
    ask = Asked()
    assert gauges.asked_seldom(ask, {})() == {} and ask.times == 0
    assert caplog.text == ""


def test_a_fault_of_ours_is_none_of_the_databases():
    with pytest.raises(ProgrammingError):
        gauges.asked_seldom(Asked(ProgrammingError("no such column")), None)()


def test_who_waits_for_a_row_is_counted(db):
    assert gauges._waiters() == 0
