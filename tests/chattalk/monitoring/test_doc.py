"""docs/monitoring.md names what is counted, all of it, as it is counted."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from core import metrics

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "monitoring.md").read_text()
ROW = re.compile(r"^\| `(chattalk_\w+)` \| (.*?) ?\| (.*) \|$", re.MULTILINE)
COUNTING = (
    "chattalk.asgi", "chattalk.server.worker", "chattalk.server.supervisor",
    "interfaces.kafka.gauges",
)  # fmt: skip


@pytest.fixture(scope="module")
def counted():
    for module in COUNTING:
        import_module(module)
    return {metric.name: metric for metric in metrics.everything()}


def test_the_table_is_what_is_counted(counted):
    told = {name: re.findall(r"`(\w+)`", labels) for name, labels, _about in ROW.findall(PAGE)}
    assert told == {name: list(metric.labels) for name, metric in counted.items()}


def test_it_says_what_is_not_to_be_added_up(counted):
    largest = {name for name, _labels, about in ROW.findall(PAGE) if "*largest*" in about}
    assert largest == {name for name, metric in counted.items() if metric.over == "max"}


def test_each_query_that_it_shows_names_what_is_counted(counted):
    shown = set(re.findall(r"chattalk_[a-z_]+[a-z]", PAGE))
    bare = {re.sub(r"_bucket$", "", name) for name in shown}
    assert bare - counted.keys() == set()
