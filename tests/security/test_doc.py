"""docs/security.md names tests that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", PAGE)))


@pytest.mark.parametrize("node", NAMED)
def test_a_test_that_is_named_is_there(node):
    path, _, name = node.partition("::")
    names = {
        one.name
        for one in ast.parse((ROOT / path).read_text()).body
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert not name or (name in names and name.startswith("test_"))


def test_each_risk_names_one_or_says_why_not():
    rows = [line for line in PAGE.splitlines() if re.match(r"\| (API\d+|\d+\.\d+\.\d+)", line)]
    assert len([row for row in rows if row.startswith("| API")]) == 10 and len(rows) > 20
    assert [row[:9] for row in rows if "tests/" not in row] == ["| API7 SS", "| 4.4.1 |"]


def test_each_fuzzer_that_is_named_is_there():
    named = set(re.findall(r"python -m (faults\.fuzz\.\w+)", PAGE))
    helpers = {"__init__", "api_people", "listening", "mutation", "options", "site"}
    made = {path.stem for path in (ROOT / "faults" / "fuzz").glob("*.py")} - helpers
    assert named == {f"faults.fuzz.{name}" for name in made}
