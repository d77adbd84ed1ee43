"""The table of goals is made of what is kept, scenario by scenario."""

import json

import pytest

from bench import kept, page
from bench.figures import Figure

ENVIRONMENT = {"cpu": "a fast one", "cores": 2, "kernel": "6", "python": "3.11.7"}


@pytest.fixture
def keep(tmp_path, monkeypatch):
    """Keep one figure, as if measured on that day at that commit."""
    monkeypatch.setattr(kept, "RESULTS", tmp_path)

    def keep_one(scenario, goal, ours, *, date, commit="c0ffee000000", size="short", **more):
        around = ENVIRONMENT | {"commit": commit, "changed": False} | more
        monkeypatch.setattr(kept, "environment", lambda: around)
        figure = Figure(goal, f"what {scenario} does", ours, "/s", "a peer", 100.0, at_least=1)
        found = {"figures": [figure.as_dict()], "more": 1}
        name = f"cores-{around['cores']}" if scenario == "cores" else ""
        path = kept.keep(scenario, found, size=size, name=name, minutes=1, absent={}, versions={})
        path.write_text(json.dumps(json.loads(path.read_text()) | {"date": date}))

    return keep_one


def rows():
    """Of the table, by the goal: its cells."""
    lines = page.text().split("\n\n")[0].splitlines()[2:]
    return {
        cells[0]: cells for cells in ([c.strip() for c in line.split("|")[1:-1]] for line in lines)
    }


def test_the_page_has_what_the_results_give():
    assert page.PAGE.read_text() == page.page(), "python -m bench.page writes it anew"


def test_each_row_says_its_own_commit_and_whether_it_is_met(keep):
    keep("talk", "G1", 120.0, date="2026-11-01", commit="aaaaaaa11111")
    keep("joins", "S9", 80.0, date="2026-11-02", commit="bbbbbbb22222")
    assert rows()["G1"][-2:] == ["aaaaaaa", "yes"]
    assert rows()["S9"][-2:] == ["bbbbbbb", "**no**"]


def test_what_was_measured_again_takes_the_place_of_itself_alone(keep):
    keep("talk", "G1", 120.0, date="2026-11-01")
    keep("joins", "S9", 80.0, date="2026-11-01")
    keep("joins", "S9", 140.0, date="2026-11-03", size="full", commit="ddddddd44444")
    assert rows()["S9"][-2:] == ["ddddddd", "yes"]
    assert rows()["G1"][-2:] == ["c0ffee0", "yes"]


def test_a_goal_that_was_not_measured_has_a_row_that_says_so(keep):
    keep("talk", "S8", 120.0, date="2026-11-01")
    assert rows()["S2"][-1] == page.NOT_HERE
    assert list(rows()) == [
        "S1",
        "S2",
        "S3",
        "S4",
        "S5",
        "S6",
        "S7",
        "S8",
        *(f"S{n}" for n in range(9, 14)),
    ]


def test_a_commit_that_was_changed_has_a_plus(keep):
    keep("talk", "G1", 1.0, date="2026-11-01", changed=True)
    assert rows()["G1"][-2] == "c0ffee0+"


def test_of_two_machines_with_many_cores_the_larger_one_counts(keep):
    keep("cores", "S2", 120.0, date="2026-11-01", commit="aaaaaaa11111", cores=16)
    keep("cores", "S2", 80.0, date="2026-11-09", commit="bbbbbbb22222", cores=4)
    assert rows()["S2"][-2:] == ["aaaaaaa", "yes"]
