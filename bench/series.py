"""What bench/charts.py draws, out of what the scenarios returned (as it is read back from JSON)."""

from collections.abc import Iterator, Mapping
from typing import Any

Scenarios = Mapping[str, Any]

CASES = {
    "hot room": "Hot room: 200 members, 16 messages in flight",
    "large room": "Large room: 2,000 members, one message at a time",
    "small rooms": "Small rooms: 20 of 10 members, 64 messages in flight",
}
QUESTIONS = {
    "missed": "ChatTalk: 50 missed messages",
    "after": "ChatTalk: catching up with 50",
    "post": "ChatTalk: saying something",
}


def series(scenarios: Scenarios) -> dict[str, Any]:
    """In the shape that bench/charts.py tells; without what was not run."""
    runs = scenarios.get("talk", {}).get("runs", {})
    return {
        "deliveries": {
            title: {run["name"]: run["per_cpu_second"] for run in runs[case].values()}
            for case, title in CASES.items()
            if case in runs
        },
        "latency": {
            run["name"]: {quantile: run[f"{quantile}_ms"] for quantile in ("p50", "p99", "p999")}
            for run in runs.get("quiet room", {}).values()
        },
        "room_sizes": {
            name: sorted([int(members), value] for members, value in sizes.items())
            for name, sizes in scenarios.get("sizes", {}).get("sizes", {}).items()
        },
        "rows": dict(_rows(scenarios)),
    }


def _rows(scenarios: Scenarios) -> Iterator[tuple[str, list[list[float]]]]:
    by_size = scenarios.get("rows", {}).get("median_ms", {})
    for question, name in QUESTIONS.items() if by_size else ():
        yield name, sorted([int(size), took[question]] for size, took in by_size.items())
    if by_size and (missed := scenarios.get("missed")):  # a point in each way, of one size
        what = f"{missed['missed']:,} missed messages"
        yield f"ChatTalk: {what}", [[missed["lines"], missed["at_once"]["ms"]]]
        yield f"the original's query: {what}", [[missed["lines"], missed["original"]["ms"]]]
