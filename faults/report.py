"""What the harness found: a line on the screen, JSON, and the table of docs/reliability.md."""

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench.machine import environment
from faults import judge
from faults.run import CATALOGUE, Run, Scenario
from faults.site import HOME, ROOT

RESULTS = ROOT / "faults" / "results"


def row(one: Scenario, runs: list[tuple[int, Run, str]], minutes: float = 0.0) -> dict[str, Any]:
    """All runs of a scenario together."""
    counts, operations = Counter[str](), Counter[str]()
    for _, run, _ in runs:
        counts += run.counts
        operations += run.operations
    found = {name: counts[name] for name in judge.MUST_BE_ZERO if counts[name]}
    bad = [seed for seed, run, error in runs if error or _is_bad(one, run)]
    return {
        "id": one.id,
        "what": one.what,
        "at": time.strftime("%Y-%m-%d", time.gmtime()),
        "commit": commit(),
        "minutes": round(minutes, 2),
        "seeds": [seed for seed, _, _ in runs],
        "operations": dict(operations),
        "found": found,
        "must_tell": one.told,
        "bounds": _bounds(runs),
        "beside": [run.beside for _, run, _ in runs if run.beside],
        "figures": [run.figures for _, run, _ in runs if run.figures],
        "errors": {seed: error for seed, _, error in runs if error},
        "bad_seeds": bad,
        "is_good": not bad,
    }


def commit() -> str:
    where = environment()
    return where["commit"] + " with changes" * where["changed"]


def absent(one: Scenario, why: Exception) -> dict[str, Any]:
    """It was not played, and nothing is claimed."""
    return row(one, []) | {"absent": str(why)}


def _is_bad(one: Scenario, run: Run) -> bool:
    if one.told:  # a proof: something was taken away, and the harness must see it
        return not any(run.counts[name] for name in one.told)
    return bool(run.faults_found) or not all(bound.is_met for bound in run.bounds)


def _bounds(runs: list[tuple[int, Run, str]]) -> list[dict[str, Any]]:
    """The worst of each, over the seeds."""
    worst: dict[str, Any] = {}
    for _, run, _ in runs:
        for bound in run.bounds:
            before = worst.get(bound.name)
            is_worse = before is None or (bound.value < before.value) == bound.at_least
            if is_worse:
                worst[bound.name] = bound
    return [
        {
            "name": bound.name, "value": round(bound.value, 3), "limit": bound.limit,
            "unit": bound.unit, "at_least": bound.at_least, "is_met": bound.is_met,
        }
        for bound in worst.values()
    ]  # fmt: skip


def show(row: dict[str, Any]) -> None:
    print(("\r\033[K" if sys.stderr.isatty() else "") + line(row), flush=True)


def line(row: dict[str, Any]) -> str:
    if "absent" in row:
        return f"none {row['id']:<5} {row['what']}: {row['absent']}"
    verdict = "ok  " if row["is_good"] else "BAD "
    if row["must_tell"]:
        verdict = "told" if row["is_good"] else "BLIND"
    done = row["operations"]
    told = f"{verdict} {row['id']:<5} {row['what']}: {done.get('faults', 0)} faults"
    told += f", {done.get('acked', 0):,} acked, {done.get('shown', 0):,} shown"
    if done.get("join"):
        told += f", {done['join']:,} seats taken, {done.get('leave', 0):,} given back"
    told += "".join(f", {name} {count}" for name, count in row["found"].items())
    told += "".join(f"; {_told(bound)}" for bound in row["bounds"])
    return told + "".join(f"; seed {seed}: {error}" for seed, error in row["errors"].items())


def _told(bound: dict[str, Any]) -> str:
    sign = "≥" if bound["at_least"] else "≤"
    mark = "" if bound["is_met"] else " NOT MET"
    unit = f" {bound['unit']}" if bound["unit"] else ""
    return f"{bound['name']} {bound['value']:,.9g}{unit} ({sign} {bound['limit']:,g}){mark}"


def keep(rows: list[dict[str, Any]], *, size: str, is_whole: bool) -> None:
    """As JSON, after each row, for a long run may be cut off. What the full one has of other rows
    stays, so that it can be played in parts, or a row of it again."""
    path = HOME / "part.json"  # some rows of the short one are nobody's result
    before: list[dict[str, Any]] = []
    if size == "full" or is_whole:
        path = RESULTS / f"{size}.json"
    if size == "full" and path.exists():
        played = {row["id"] for row in rows}
        known = json.loads(path.read_text())["rows"]
        before = [row for row in known if row["id"] in CATALOGUE and row["id"] not in played]
    all_rows = sorted(before + rows, key=lambda row: list(CATALOGUE).index(row["id"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {"environment": environment(), "rows": all_rows}
    path.write_text(json.dumps(kept, indent=1) + "\n")


def summary(rows: list[dict[str, Any]]) -> str:
    found, done = Counter[str](), Counter[str]()
    for one in rows:
        if not one["must_tell"]:
            found += Counter(one["found"])
            done += Counter(one["operations"])
    lost = found["lost_durable"] + found["lost_delivery"]
    played = [one for one in rows if "absent" not in one]
    good = sum(one["is_good"] for one in played)
    absent = f", {len(rows) - len(played)} not played" * (len(played) < len(rows))
    minutes = sum(one["minutes"] for one in rows)
    return (
        f"{lost} lost of {done['acked']:,} acknowledged messages and {done['shown']:,} lines "
        f"shown, under {done['faults']:,} faults; {good} of {len(played)} rows good{absent}, "
        f"{minutes:.0f} minutes"
    )


# --- for people who read ------------------------------------------------------------------------

HEAD = ("", "what happens", "runs", "faults", "acknowledged", "shown", "must be zero", "and")
ZERO = "all zero"
SUMS = ("stored", "lost", "of")


def write() -> None:
    """The tables of docs/reliability.md, and the line of the README: of the full run; what that has
    not played, of the short one."""
    kept = {size: _kept(size) for size in ("short", "full")}
    rows = {row["id"]: row for one in kept.values() for row in one["rows"]}
    of_both = [rows[id] for id in CATALOGUE if id in rows]
    where = next(one["environment"] for one in kept.values() if one["rows"])
    total = summary(of_both)
    full = len(kept["full"]["rows"])
    command = f"`make faults-full` ({full} rows)"
    if others := len(of_both) - full:
        command += f" and `make faults` ({others})"
    told = f"{command} on {where['cpu']}, {where['cores']} cores, {_when(of_both)}: **{total}.**"
    _put(ROOT / "docs" / "reliability.md", "table", f"{told}\n\n{table(of_both)}")
    _put(ROOT / "docs" / "reliability.md", "beside", beside(of_both))
    _put(ROOT / "README.md", "faults", f"**{total}**: {command}.")


def _kept(size: str) -> dict[str, Any]:
    path = RESULTS / f"{size}.json"
    return json.loads(path.read_text()) if path.exists() else {"rows": []}


def _when(rows: list[dict[str, Any]]) -> str:
    days = sorted({row["at"] for row in rows})
    commits = sorted({row["commit"] for row in rows})
    return f"{' and '.join(days)}, at {', '.join(commits)}"


def table(rows: list[dict[str, Any]]) -> str:
    lines = [HEAD, ("---", "---", *["--:"] * 4, "---", "---"), *map(_cells, rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    done = row["operations"]
    numbers = (len(row["seeds"]), *(done.get(name, 0) for name in ("faults", "acked", "shown")))
    found = ", ".join(f"{name} {count:,}" for name, count in row["found"].items()) or ZERO
    if row["must_tell"]:
        found = f"told: {found}" if row["is_good"] else "**not told**"
    elif row["found"]:
        found = f"**{found}**"
    if "absent" in row:
        found = f"not played: {row['absent']}"
    also = [_told(bound) for bound in row["bounds"]] + [*row["errors"].values()]
    what = row["what"].replace("|", "\\|")
    return row["id"], what, *(f"{number:,}" for number in numbers), found, "; ".join(also)


def beside(rows: list[dict[str, Any]]) -> str:
    """What others lose under the same, all seeds together."""
    lines = ["| under | server | stored | lost | share |", "| --- | --- | --: | --: | --: |"]
    for row in rows:
        for name, (stored, lost, of) in _together(row["beside"]).items():
            share = f"{100 * lost / of:.1f} %" if of else "not there"
            what = row["what"].removeprefix("beside others: ")
            cells = (what, name, f"{stored:,}", f"{lost:,} of {of:,}", share)
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _together(seeds: list[dict[str, Any]]) -> dict[str, tuple[int, int, int]]:
    names = [name for seed in seeds[:1] for name in seed]
    return {
        name: tuple(sum(seed[name].get(what, 0) for seed in seeds) for what in SUMS)
        for name in names
    }


def _put(path: Path, name: str, text: str) -> None:
    """Between the marks of that name."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, _, rest = path.read_text().partition(begin)
    _, _, after = rest.partition(end)
    assert after, f"{path} has no {begin} … {end}"
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}")
