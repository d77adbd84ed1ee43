"""requirements*.txt are what `make lock` makes of requirements*.in: all pinned, each by hash."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ASKED = sorted(ROOT.glob("requirements*.in"))
PIN = re.compile(r"([A-Za-z0-9._-]+)(?:\[[a-z]+\])?==([^ ;]+)")


def pins(text):
    found = [PIN.match(line) for line in text.splitlines() if PIN.match(line)]
    return {re.sub(r"[._-]+", "-", one[1]).lower(): one[2] for one in found}


@pytest.mark.parametrize("asked", ASKED, ids=lambda path: path.name)
def test_all_that_is_installed_is_pinned_by_hash(asked):
    locked = asked.with_suffix(".txt").read_text()
    requirements = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", locked, flags=re.M).strip())
    assert len(requirements) == len(pins(locked)) > 0
    for requirement in requirements:
        assert "==" in requirement and "--hash=sha256:" in requirement, requirement
    assert pins(asked.read_text()).items() <= pins(locked).items(), "make lock"


def test_what_two_of_them_bring_is_the_same_of_both():
    run, dev, faults = (
        pins((ROOT / f"requirements{name}.txt").read_text()) for name in ("", "-dev", "-faults")
    )
    for one, other in ((run, dev), (run, faults), (dev, faults)):
        shared = one.keys() & other.keys()
        assert shared and {n: one[n] for n in shared} == {n: other[n] for n in shared}
