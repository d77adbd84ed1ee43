"""The table of goals in docs/performance.md, made of what is kept.

    python -m bench.page

Each run of the benchmark writes it anew, between the marks of that page. A
test holds them together.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from bench import report
from bench.figures import Figure
from bench.goals import NAMES
from bench.kept import Part, parts
from bench.servers import ROOT

PAGE = ROOT / "docs" / "performance.md"
MARKS = re.compile(r"(?<=<!-- goals -->\n).*?(?=\n<!-- end of goals -->)", re.DOTALL)
HEADINGS = (*report.HEADINGS[:-1], "commit", "met")
MET = {True: "yes", False: "**no**", None: ""}
NOT_HERE = "not measured here"


def text(kept: Mapping[str, Part] | None = None) -> str:
    kept = parts() if kept is None else kept
    return "\n".join([*_table(kept), "", *_where(kept.values())])


def _table(kept: Mapping[str, Part]) -> Iterator[str]:
    """Notes are numbered below it."""
    rows = [(one, part.at) for part in kept.values() for one in part.figures]
    rows += [(one, "") for one in _missing({one.goal for one, _ in rows})]
    notes: list[str] = []
    yield _cells(HEADINGS)
    yield _cells("--:" if place in report.NUMBERS else "---" for place in range(len(HEADINGS)))
    for one, at in sorted(rows, key=lambda pair: report.place(pair[0].goal)):
        cells = [*(_cells_of(one) if at else (one.goal, one.what, *[""] * 5))]
        if one.note:
            notes.append(one.note)
            cells[1] += f" ({len(notes)})"
        yield _cells([*cells, at, MET[one.met] if at else NOT_HERE])
    if notes:
        yield ""
        yield from (f"{number}. {_escaped(note)}" for number, note in enumerate(notes, 1))


def _missing(goals: set[str]) -> Iterator[Figure]:
    for goal, what in NAMES.items():
        if goal not in goals:
            yield Figure(goal, what, 0.0)


def _cells_of(one: Figure) -> tuple[str, ...]:
    return report.row(one)[:-1]


def _where(kept: Iterable[Part]) -> Iterator[str]:
    """What was measured at which commit, when, and on which machine."""
    places: dict[tuple[str, str, str], list[Part]] = {}
    for part in sorted(kept, key=lambda one: one.date):
        it = part.environment
        machine = f"{it['cpu']}, {it['cores']} cores, Linux {it['kernel']}, Python {it['python']}"
        places.setdefault((part.at, part.date[:10], machine), []).append(part)
    yield _cells(["commit", "on", "scenarios", "minutes", "machine"])
    yield _cells(["---", "---", "---", "--:", "---"])
    for (at, on, machine), some in places.items():
        names = ", ".join(f"{one.scenario}{' (full)' * (one.size == 'full')}" for one in some)
        known = [one.minutes for one in some if one.minutes is not None]
        minutes = f"{sum(known):.1f}" if known else ""
        yield _cells([at, on, names, minutes, machine])


def _cells(texts: Iterable[str]) -> str:
    return f"| {' | '.join(map(_escaped, texts))} |"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def page() -> str:
    """As it should be."""
    return MARKS.sub(lambda _found: text(), PAGE.read_text())


def main() -> None:
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
