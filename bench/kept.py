"""What was measured is kept scenario by scenario, each with its date and its commit: so the table
of docs/performance.md can be made by several calls, of minutes each.

`bench/results/<short|full>-<scenario>.json` holds `scenario`, `size`, `date`, `minutes`,
`environment`, `versions`, `absent` (peer: why), `goals` (the figures, as
bench.figures.Figure.as_dict gives them) and `result` (what the scenario returned, but for these).
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.figures import Figure, figure
from bench.machine import environment

ROOT = Path(__file__).resolve().parents[1]  # the charts' environment has no more of ours than this
RESULTS = ROOT / "bench" / "results"


@dataclass(frozen=True)
class Part:
    """One scenario, as it was measured last."""

    scenario: str
    size: str
    date: str
    minutes: float | None
    environment: dict[str, Any]
    figures: list[Figure]
    result: dict[str, Any]

    @property
    def at(self) -> str:
        """The commit; with a plus where files of it had been changed."""
        return self.environment["commit"][:7] + "+" * self.environment["changed"]


def keep(scenario: str, found: dict[str, Any], *, size: str, name: str = "", **about: Any) -> Path:
    """`about` is minutes, absent and versions; `name` is that of the file, where it is another."""
    whole = {
        "scenario": scenario,
        "size": size,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        **about,
        "environment": environment(),
        "goals": found["figures"],
        "result": {name: value for name, value in found.items() if name != "figures"},
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name or f'{size}-{scenario}'}.json"
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    return path


def parts() -> dict[str, Part]:
    """By scenario. Of two sizes the one that was measured last; of two machines the larger one."""
    read = [_read(path) for path in RESULTS.glob("*-*.json")]
    return {one.scenario: one for one in sorted(read, key=_counts)}


def _counts(one: Part) -> tuple[int, str]:
    """`cores` alone has a file for each machine."""
    return one.environment["cores"] if one.scenario == "cores" else 0, one.date


def _read(path: Path) -> Part:
    kept = json.loads(path.read_text())
    figures = [figure(one) for one in kept["goals"]]
    told = {name: kept[name] for name in ("scenario", "size", "date", "minutes", "environment")}
    return Part(**told, figures=figures, result=kept["result"])
