"""The port for Prometheus, which the process before this one may have still."""

import logging
import socket
import time

import pytest

from core import exposition, metrics
from tests import scrape


@pytest.fixture
def taken(monkeypatch):
    monkeypatch.setattr(exposition, "AGAIN_SECONDS", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other


@pytest.fixture
def said(monkeypatch):
    monkeypatch.setattr(metrics, "_metrics", {})
    return metrics.counter("chattalk_said_total", "What was said.")


def test_a_port_that_is_taken_is_waited_for_without_a_word(taken, said, caplog):
    said.value = 3
    port = taken.getsockname()[1]
    exposition.serve(port, {"worker": "1"})
    taken.close()
    found = scrape.at(port)["chattalk_said_total"]
    assert found == {frozenset({("worker", "1")}): 3}
    assert "wait for port" not in caplog.text


def test_who_has_it_for_long_is_told_once(taken, said, monkeypatch, caplog):
    monkeypatch.setattr(exposition, "RELIEF_SECONDS", 0.0)
    caplog.set_level(logging.WARNING)
    port = taken.getsockname()[1]
    exposition.serve(port, {"worker": "1"})
    until = time.monotonic() + scrape.PATIENCE
    while "choose another METRICS_PORT" not in caplog.text and time.monotonic() < until:
        time.sleep(0.01)
    taken.close()
    scrape.at(port)
    assert caplog.text.count("wait for port") == 1


def test_what_is_written_is_what_prometheus_reads(said):
    took = metrics.histogram("chattalk_took_seconds", "…", (0.1, 1.0))
    took.observe_each([0.05, 0.5, 9.0])
    refused = metrics.labelled("chattalk_refused_total", "…", "code")
    refused.add('a "quoted"\nname')
    found = scrape.parsed(exposition.page({"worker": "2"}).decode())
    buckets = {dict(key)["le"]: many for key, many in found["chattalk_took_seconds_bucket"].items()}
    assert buckets == {"0.1": 1, "1.0": 2, "+Inf": 3}
    assert scrape.total(found, "chattalk_took_seconds_sum", worker="2") == pytest.approx(9.55)
    assert scrape.total(found, "chattalk_refused_total", code='a "quoted"\nname') == 1
