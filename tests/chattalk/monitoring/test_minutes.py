"""Our own store of minutes: what workers counted, added up."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.utils import timezone

from chattalk.models import MinuteFigure
from chattalk.status import figures, minutes
from core import metrics

NOW = minutes.minute_of(timezone.now())
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def counted(monkeypatch, db):
    """Metrics of this test alone, under names that are kept."""
    monkeypatch.setattr(metrics, "_metrics", {})


def stored(minute=NOW):
    return dict(MinuteFigure.objects.filter(minute=minute).values_list("name", "value"))


def test_a_minute_has_what_was_added_since_the_last_one():
    said = metrics.counter("chattalk_messages_total", "…")
    worker = minutes.Minutes()
    said.value = 3
    worker.write(NOW)
    said.value = 5
    worker.write(NOW + MINUTE)
    worker.write(NOW + 2 * MINUTE)
    assert stored()["chattalk_messages_total"] == 3
    assert stored(NOW + MINUTE)["chattalk_messages_total"] == 2
    assert stored(NOW + 2 * MINUTE) == {}


def test_workers_are_added_up_and_what_all_know_whole_is_the_largest():
    metrics.read("chattalk_sockets", "…", lambda: {"ws": 4, "stomp": 1}, labels=("door",))
    lag = {"counters": 7.0}
    metrics.read("chattalk_follower_lag_lines", "…", lambda: lag, labels=("follower",), over="max")
    closes = metrics.labelled("chattalk_closes_total", "…", "by", "code")
    closes.add("us", "1012", many=2)
    minutes.Minutes().write(NOW)
    lag["counters"] = 5.0
    minutes.Minutes().write(NOW)
    assert stored() == {
        "chattalk_closes_total/us/1012": 4,
        "chattalk_follower_lag_lines/counters": 7,
        "chattalk_sockets/ws": 8,
        "chattalk_sockets/stomp": 2,
    }


def test_latencies_are_kept_by_bucket_with_their_sum():
    took = metrics.histogram("chattalk_acknowledgement_seconds", "…", (0.01, 0.1))
    took.observe_each([0.005, 0.05, 0.05, 3.0])
    minutes.Minutes().write(NOW)
    name = "chattalk_acknowledgement_seconds"
    assert stored() == {
        f"{name}/0.01": 1,
        f"{name}/0.1": 2,
        f"{name}/+Inf": 1,
        f"{name}/sum": pytest.approx(3.105),
    }


def test_the_last_minute_of_a_process_has_no_sockets_any_more():
    metrics.read("chattalk_sockets", "…", lambda: {"ws": 4}, labels=("door",))
    said = metrics.counter("chattalk_messages_total", "…")
    said.value = 1
    minutes.Minutes().write(NOW, is_last=True)
    assert stored() == {"chattalk_messages_total": 1}


def test_what_could_not_be_written_comes_with_the_next_minute(monkeypatch, caplog):
    said = metrics.counter("chattalk_messages_total", "…")
    worker = minutes.Minutes()
    said.value = 2
    with monkeypatch.context() as broken:
        broken.setattr(minutes, "_add", lambda *_: 1 / 0)
        worker.write(NOW)
    assert "a minute could not be written" in caplog.text
    said.value = 3
    worker.write(NOW + MINUTE)
    assert stored() == {} and stored(NOW + MINUTE) == {"chattalk_messages_total": 3}


def test_minutes_are_kept_for_a_day():
    old = NOW - minutes.KEPT - MINUTE
    MinuteFigure.objects.create(minute=old, name="chattalk_messages_total", value=1)
    MinuteFigure.objects.create(minute=old + MINUTE, name="chattalk_messages_total", value=1)
    minutes.Minutes().write(NOW)
    assert stored(old) == {} and stored(old + MINUTE)


def test_each_figure_that_is_kept_is_counted_somewhere(monkeypatch):
    monkeypatch.undo()
    assert sorted(set(figures.KEPT)) == list(figures.KEPT)
    for module in ("chattalk.asgi", "chattalk.server.worker", "interfaces.kafka.gauges"):
        import_module(module)
    assert [name for name in figures.KEPT if metrics.named(name) is None] == []
