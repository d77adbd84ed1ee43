"""The alert rules that are shipped: Prometheus takes them, each fires, and names what we count."""

import os
import re
import shutil
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

from core import metrics

SHIPPED = Path(__file__).resolve().parents[3] / "deploy" / "prometheus"
RULES = (SHIPPED / "chattalk.rules.yml").read_text()
ALERTS = re.findall(r"- alert: (\w+)", RULES)
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None and not os.environ.get("CI"),
    reason="promtool is not installed (apt install prometheus).",
)


@needs_promtool
@pytest.mark.parametrize(
    "words",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "chattalk.rules.yml"),
        ("test", "rules", "chattalk.rules.test.yml"),
    ],
)
def test_promtool_is_content(words):
    done = subprocess.run(["promtool", *words], cwd=SHIPPED, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout + done.stderr


def test_each_alert_has_a_case_in_which_it_fires():
    tested = (SHIPPED / "chattalk.rules.test.yml").read_text()
    assert len(ALERTS) > 10
    assert [alert for alert in ALERTS if f"alertname: {alert}\n" not in tested] == []


def test_each_alert_stands_in_the_page_for_operators():
    page = (SHIPPED.parents[1] / "docs" / "monitoring.md").read_text()
    assert [alert for alert in ALERTS if f"`{alert}`" not in page] == []


BEGINS = """
rule_files: []
tests:
  - interval: 15s
    input_series:
      - {series: 'from_0', values: "0x10 1x30"}
      - {series: 'from_1', values: "_x10 1x30"}
    promql_expr_test:
      - {expr: 'ceil(increase(from_0[5m]))', eval_time: 5m, exp_samples: [{value: 1}]}
      - {expr: 'increase(from_1[5m])', eval_time: 5m, exp_samples: [{value: 0}]}
"""


@needs_promtool
def test_promtool_sees_no_growth_in_what_begins_with_1(tmp_path):
    (tmp_path / "begins.yml").write_text(BEGINS)
    done = subprocess.run(
        ["promtool", "test", "rules", tmp_path / "begins.yml"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_says_what_to_do():
    for block in RULES.split("- alert: ")[1:]:
        assert re.search(r"severity: (page|look)", block), block
        assert "summary:" in block and "do:" in block, block


def test_the_rules_name_what_is_counted():
    for module in ("chattalk.asgi", "chattalk.server.supervisor", "interfaces.kafka.gauges"):
        import_module(module)

    def is_known(name):
        bare = re.sub(r"_(bucket|sum|count)$", "", name)
        return metrics.named(name) or isinstance(metrics.named(bare), metrics.Histogram)

    named = set(re.findall(r"(?<![:\w])chattalk_\w+", RULES))
    assert len(named) > 15
    assert sorted(name for name in named if not is_known(name)) == []
