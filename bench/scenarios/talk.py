"""People talk: the hot room, the large one, many small ones, and a quiet one (G1, G2, G3, G4, G15;
S7, S8, S12 are the same, with other aims).

Ours and each peer take turns, and what counts is the median of their runs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench import load
from bench.figures import Figure
from bench.setups import Setup, Setups

Runs = dict[str, list[load.Run]]


@dataclass(frozen=True)
class Case:
    """Who talks, and who is measured beside us."""

    name: str
    rooms: int
    members: int
    in_flight: int
    peers: tuple[str, ...]
    ceilings: tuple[str, ...] = ()  # more of them in a full run


HOT = Case(
    "hot room", 1, 200, 16,
    ("daphne", "socketio", "ejabberd", "centrifugo"), ("uvicorn", "c", "bun"),
)  # fmt: skip
LARGE = Case("large room", 1, 2000, 1, ("c", "socketio-fanout"), ("bun", "centrifugo"))
SMALL = Case("small rooms", 20, 10, 64, ("socketio", "daphne"), ("uvicorn", "centrifugo"))
QUIET = Case("quiet room", 1, 200, 1, ("socketio",), ("daphne", "centrifugo"))
CASES = (HOT, LARGE, SMALL, QUIET)

Value = Callable[[load.Run], float]


def per_cpu_second(run: load.Run) -> float:
    return run.per_cpu_second


def messages_per_second(run: load.Run) -> float:
    return run.messages_per_second


def latency(quantile: str) -> Value:
    return lambda run: run.report["latency_ms"][quantile]


# goal, of which case, beside whom, what, value, unit, bound of the ratio
GOALS: tuple[tuple[str, Case, str, str, Value, str, dict[str, float]], ...] = (
    ("G1", HOT, "daphne", "deliveries", per_cpu_second, "/CPU-s", {"at_least": 80}),
    ("G1", HOT, "socketio", "deliveries", per_cpu_second, "/CPU-s", {"at_least": 5}),
    ("G1", HOT, "ejabberd", "deliveries", per_cpu_second, "/CPU-s", {"at_least": 12}),
    ("G15", HOT, "centrifugo", "deliveries", per_cpu_second, "/CPU-s", {"at_least": 1}),
    ("G2", LARGE, "c", "deliveries", per_cpu_second, "/CPU-s", {"at_least": 0.55}),
    ("G2", LARGE, "socketio-fanout", "deliveries", per_cpu_second, "/CPU-s", {"at_least": 1.5}),
    ("G3", SMALL, "socketio", "messages", messages_per_second, "/s", {"at_least": 2}),
    ("G3", SMALL, "daphne", "messages", messages_per_second, "/s", {"at_least": 18}),
    ("G4", QUIET, "socketio", "p50", latency("p50"), "ms", {"at_most": 0.95}),
    ("G4", QUIET, "socketio", "p99", latency("p99"), "ms", {"at_most": 0.5}),
    ("S7", QUIET, "socketio", "p50", latency("p50"), "ms", {"at_most": 0.8}),
    ("S7", QUIET, "socketio", "p99", latency("p99"), "ms", {"at_most": 0.5}),
    ("S8", SMALL, "socketio", "messages", messages_per_second, "/s", {"at_least": 6}),
    ("S12", LARGE, "c", "deliveries", per_cpu_second, "/CPU-s", {"at_least": 0.6}),
    ("S12", LARGE, "socketio-fanout", "deliveries", per_cpu_second, "/CPU-s", {"at_least": 2}),
)


def run(setups: Setups, *, short: bool, tell: Callable[[str], None]) -> dict[str, Any]:
    """`runs`: each set-up's medians by case; `figures`."""
    times = {"warm": 0.7, "measure": 2.0} if short else {"warm": 2.0, "measure": 6.0}
    all_runs: dict[str, Runs] = {}
    for case in CASES:
        keys = ("ours", *case.peers, *(case.ceilings if not short else ()))
        all_runs[case.name] = _take_turns(case, setups.get(*keys), short, times, tell)
    names = {one.key: one.name for one in setups.get("ours", *_keys(short))}
    return {
        "runs": {name: _medians(runs, names) for name, runs in all_runs.items()},
        "figures": [each.as_dict() for each in _figures(all_runs, names)],
    }


def _keys(short: bool) -> list[str]:
    """Of all that took part."""
    found: dict[str, None] = {}
    for case in CASES:
        found |= dict.fromkeys(case.peers if short else case.peers + case.ceilings)
    return list(found)


def _take_turns(
    case: Case,
    those: list[Setup],
    short: bool,
    times: dict[str, float],
    tell: Callable[[str], None],
) -> Runs:
    runs: Runs = {one.key: [] for one in those}
    for turn in range(3 if short else 5):
        for one in those:
            tell(f"{case.name}, round {turn + 1}: {one.name}")
            runs[one.key].append(_measured(one, case, times))
    return runs


def _measured(one: Setup, case: Case, times: dict[str, float]) -> load.Run:
    plan = one.plan(case.rooms, case.members)
    found = one.measure(plan, in_flight=case.in_flight, **times)
    if one.key == "ours" and found.faults:
        raise load.Invalid(f"{case.name}: {', '.join(found.faults)}")
    return found


def _figures(all_runs: dict[str, Runs], names: dict[str, str]) -> Iterator[Figure]:
    for goal, case, peer, what, value, unit, bound in GOALS:
        runs = all_runs[case.name]
        if peer not in runs:
            continue
        yield Figure(
            goal, f"{case.name}: {what}", middle(runs["ours"], value), unit, names[peer],
            middle(runs[peer], value), note=_note(runs[peer]), **bound,
        )  # fmt: skip


def middle(runs: list[load.Run], value: Value) -> float:
    return median(value(run) for run in runs)


def _note(runs: list[load.Run]) -> str:
    """What a peer lost or mixed up; of ours such a run would not count."""
    return "; ".join(dict.fromkeys(fault for run in runs for fault in run.faults))


def _medians(runs: Runs, names: dict[str, str]) -> dict[str, Any]:
    return {
        key: {
            "name": names[key],
            "per_cpu_second": middle(some, per_cpu_second),
            "per_second": middle(some, lambda run: run.per_second),
            "messages_per_second": middle(some, messages_per_second),
            "busy": middle(some, lambda run: run.report["busy"]),
            **{f"{q}_ms": middle(some, latency(q)) for q in ("p50", "p99", "p999")},
            "last_p99_ms": middle(some, lambda run: run.report["last_ms"]["p99"]),
            "faults": _note(some),
        }
        for key, some in runs.items()
    }
