"""Counting: by plain ints, in names that Prometheus' conventions allow."""

import pytest
from django.db import OperationalError

from core import metrics


@pytest.fixture(autouse=True)
def none_yet(monkeypatch):
    monkeypatch.setattr(metrics, "_metrics", {})


def test_a_counter_is_a_number_that_anybody_adds_to():
    said = metrics.counter("chattalk_said_total", "What was said.")
    said.value += 2
    assert metrics.named("chattalk_said_total").values() == {(): 2}


def test_labels_are_counted_apart_and_bounded():
    refused = metrics.labelled("chattalk_refused_total", "…", "by", "code")
    for number in range(metrics.KEYS_MAX + 50):
        refused.add("nack", f"code{number}")
    refused.add("nack", "code3", many=4)
    values = refused.values()
    assert values["nack", "code3"] == 5
    assert values[metrics.OTHER, metrics.OTHER] == 50
    assert len(values) == metrics.KEYS_MAX + 1


def test_a_value_lies_in_the_first_bucket_that_it_is_not_above():
    waits = metrics.histogram("chattalk_wait_seconds", "…", (0.1, 1.0))
    waits.observe(0.1)
    waits.observe_each([0.2, 1.0, 7.0])
    assert waits.values() == {("0.1",): 1, ("1.0",): 2, ("+Inf",): 1}
    assert waits.sum == pytest.approx(8.3)


def test_what_is_read_is_read_when_it_is_asked_for():
    doors = {"ws": 1}
    open_now = metrics.read("chattalk_open", "…", lambda: doors, labels=("door",))
    doors["ws"] = 3
    assert open_now.values() == {("ws",): 3} and open_now.kind == "gauge"


def test_one_that_can_not_be_read_is_told_and_left_out(caplog):
    broken = metrics.read("chattalk_broken", "…", lambda: 1 / 0)
    nobody = metrics.read("chattalk_nobody", "…", lambda: None)
    assert broken.values() == nobody.values() == {}
    assert "chattalk_broken could not be read" in caplog.text


def test_while_the_database_is_away_what_asks_it_is_told_in_a_line(caplog):
    def ask():
        raise OperationalError("couldn't get a connection after 3.00 sec")

    assert metrics.read("chattalk_far", "…", ask).values() == {}
    assert "chattalk_far could not be read: couldn't get" in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("name", ["said_total", "chattalk_said", "chattalk_Said_total"])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(ValueError, match=name):
        metrics.counter(name, "…")


def test_a_name_is_given_once():
    metrics.counter("chattalk_said_total", "…")
    with pytest.raises(ValueError, match="chattalk_said_total"):
        metrics.read("chattalk_said_total", "…", lambda: 1)
    with pytest.raises(ValueError, match="chattalk_wait"):
        metrics.histogram("chattalk_wait", "…")
