"""Throughput against the size of the room, 2 to 5,000 members, 16 messages in flight."""

from collections.abc import Callable
from statistics import median
from typing import Any

from bench.setups import Setups

SIZES = (2, 10, 50, 200, 1000, 2000, 5000)
PEERS = ("ours", "socketio", "centrifugo", "uvicorn")
TUTORIAL_MAX = 1000  # members; more than that takes minutes for a message
ROUNDS = 2


def run(setups: Setups, *, short: bool, tell: Callable[[str], None]) -> dict[str, Any]:
    """`sizes`: deliveries per CPU second of each set-up by room size."""
    found: dict[str, dict[int, float]] = {}
    for one in setups.get(*PEERS):
        for size in SIZES:
            if one.key == "uvicorn" and size > TUTORIAL_MAX:
                continue
            tell(f"a room of {size:,}: {one.name}")
            plan = one.plan(1, size)
            runs = [
                one.measure(plan, in_flight=16, warm=1.0, measure=2.0).per_cpu_second
                for _ in range(ROUNDS)
            ]
            found.setdefault(one.name, {})[size] = median(runs)
    return {"sizes": found, "figures": []}
