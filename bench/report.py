"""What was measured, as a table for the terminal; its words and numbers are those of the page."""

from collections.abc import Iterable, Sequence
from typing import Any

from bench.figures import Figure, figure

HEADINGS = ("goal", "what", "ChatTalk", "beside", "theirs", "ratio", "aim", "")
NUMBERS = (2, 4, 5)  # the columns that line up on the right
MET = {True: "met", False: "NOT MET", None: ""}
WIDEST = {1: 58, 3: 44}  # characters in a terminal; what is longer goes on below
NOTE = 110  # the same, of a note

Goals = Iterable[Figure | dict[str, Any]]  # or as Figure.as_dict gives them


def place(goal: str) -> tuple[str, int]:
    """In the order of the goals' numbers, G before S; what has no goal comes last."""
    return (goal[0], int(goal[1:])) if goal else ("Z", 0)


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
    figures = sorted(map(figure, goals), key=lambda one: place(one.goal))
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


def summary(figures: Iterable[Figure]) -> str:
    """How many goals were met; those that were not, by name."""
    judged = [one for one in figures if one.met is not None]
    missed = [_name(one) for one in judged if not one.met]
    told = f"{len(judged) - len(missed)} of {len(judged)} goals met"
    return f"{told}; not met: {'; '.join(missed)}" if missed else told


def _name(one: Figure) -> str:
    return f"{one.goal} {one.what}{f' (beside {one.peer})' if one.peer else ''}".strip()
