"""The benchmark's results: a table for the terminal and for documents, and JSON to keep.

The JSON holds `size`, `date`, `minutes`, `environment`, `versions`, `absent` (peer: why), `failed`
(scenario: why), `goals` (the figures of all scenarios, as bench.figures.Figure.as_dict gives them)
and `scenarios` (what each returned, but for its figures).
"""

import json
import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.figures import Figure, figure
from bench.servers import ROOT

RESULTS = ROOT / "bench" / "results"
HEAD = ("", "what", "ours", "beside", "theirs", "ratio", "goal", "")
RIGHT = {2, 4, 5}  # columns of numbers


def keep_and_show(found: dict[str, Any], *, size: str, **about: Any) -> Path:
    """Print the table, and keep everything in bench/results/<size>.json. `about` is failed, absent,
    versions and minutes."""
    goals = sorted((one for each in found.values() for one in each["figures"]), key=_place)
    whole = {
        "size": size,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        **about,
        "environment": environment(),
        "goals": goals,
        "scenarios": {name: _without_figures(each) for name, each in found.items()},
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{size}.json"
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    print("\n" + terminal_table(goals))
    for name, why in (about["absent"] | about["failed"]).items():
        print(f"{name}: {why}")
    print(f"{about['minutes']:.1f} minutes; all of it in {path.relative_to(ROOT)}")
    return path


def _place(one: dict[str, Any]) -> int:
    return int(one["goal"][1:] or 99)


def _without_figures(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name != "figures"}


# --- tables -----------------------------------------------------------------------------------


def terminal_table(goals: Iterable[dict[str, Any]]) -> str:
    rows = [HEAD, *map(_row, goals)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [
        text.rjust(width) if column in RIGHT else text.ljust(width)
        for column, (text, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def markdown_table(goals: Iterable[dict[str, Any]]) -> str:
    marks = ["--:" if column in RIGHT else "---" for column in range(len(HEAD))]
    lines = [HEAD, marks, *map(_row, goals)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _row(fields: dict[str, Any]) -> tuple[str, ...]:
    one: Figure = figure(fields)
    theirs = number(one.theirs, one.unit) if one.theirs is not None else ""
    ratio = f"{one.ratio:.2f}×" if one.ratio is not None else ""
    verdict = {None: "", True: "met", False: "not met"}[one.met]
    return (one.goal, one.what, number(one.ours, one.unit), one.peer, theirs, ratio, one.aim,
            verdict)  # fmt: skip


def number(value: float, unit: str) -> str:
    """Three digits that count: 856,000/CPU-s, 3.41 ms."""
    if value >= 1000:
        digits = len(str(int(value))) - 3
        text = f"{round(value, -digits):,.0f}"
    else:
        text = f"{value:.3g}"
    return f"{text}{unit if unit.startswith(('/', '%')) else ' ' + unit}".rstrip()


# --- where it was measured --------------------------------------------------------------------


def environment() -> dict[str, Any]:
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "commit": _commit(),
    }


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip()
