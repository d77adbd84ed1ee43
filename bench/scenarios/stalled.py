"""One reader in a hundred stops reading: what the others notice, and what it takes (G10)."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from bench import cpu, load
from bench.figures import Figure
from bench.setups import Setup, Setups

MEMBERS, STALLED = 200, 2
MANY = 20  # stalled ones, to see their memory above the noise
# A second; so that what the kernel takes for a stalled socket is full within seconds.
TALK = {"rate": 300, "bytes": 4000}
LINGER = 8  # seconds; a close waits 5 for its reader, then the line is cut
MEBIBYTE = 1024 * 1024


def run(setups: Setups, *, short: bool, tell: Callable[[str], None]) -> dict[str, Any]:
    (ours,) = setups.get("ours")
    times = {"warm": 1.0, "measure": 6.0 if short else 12.0}
    plan = ours.plan(1, MEMBERS)
    p99: dict[int, list[float]] = {0: [], STALLED: []}
    for turn in range(2 if short else 5):
        for stalled, some in p99.items():
            tell(f"stalled readers, round {turn + 1}: {stalled}")
            some.append(_talk(ours, plan, stalled, times).report["latency_ms"]["p99"])
    with _peak(ours) as without:
        _talk(ours, plan, 0, times)
    with _peak(ours) as with_many:
        closed = _talk(ours, plan, MANY, times | {"linger": LINGER}).report["stalled_closed"]
    each = max(0, with_many[0] - without[0]) / MANY / MEBIBYTE
    figures = [
        Figure("G10", "p99 of the others", median(p99[STALLED]), "ms", "nobody stalls",
               median(p99[0]), at_most=1.2),
        Figure("G10", "memory per stalled reader", each, "MiB", at_most=1),
        Figure("G10", f"of {MANY} stalled, closed so that they can resume", closed, "",
               at_least=MANY),
    ]  # fmt: skip
    return {"p99_ms": p99, "figures": [one.as_dict() for one in figures]}


def _talk(one: Setup, plan: Any, stalled: int, times: dict[str, float]) -> load.Run:
    found = one.measure(plan, stall=stalled, **TALK, **times)
    if found.faults:
        raise load.Invalid(f"stalled readers: {', '.join(found.faults)}")
    return found


@contextmanager
def _peak(one: Setup) -> Iterator[list[int]]:
    """The most resident bytes meanwhile."""
    most, is_over = [0], threading.Event()

    def look() -> None:
        while not is_over.wait(0.1):
            most[0] = max(most[0], cpu.memory(one.server.pids))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield most
    finally:
        is_over.set()
        thread.join()
