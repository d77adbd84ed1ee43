"""Does a worker's memory stay flat? 10 minutes (short: 1) of talk at half of what it can do."""

import statistics
import time
from collections.abc import Callable, Collection
from typing import Any

from bench import cpu, load
from bench.figures import Figure
from bench.ours import Ours
from bench.servers import Servers

ROOMS, MEMBERS, IN_FLIGHT = 20, 10, 16
SECONDS, SHORT_SECONDS = 600, 60
EVERY = 5  # seconds, between two looks
WARM_SECONDS = 10  # caches and pools fill
SHARE = 0.5  # of the messages a second that it can do
GROWTH_MAX = 1.0  # MiB a minute
MIB = 2**20


def run(servers: Servers, *, short: bool, tell: Callable[[str], None]) -> dict[str, Any]:
    """`samples`: seconds since the start and MiB; `figures`."""
    ours = Ours()
    try:
        ours.start(servers)
        plan = ours.plan(ROOMS, MEMBERS)
        tell("what the worker can do")
        pids = [*ours.pids, *servers.pids.values()]
        able = load.measure(ours.wire, plan, ours.path, pids, in_flight=IN_FLIGHT)
        rate = able.messages_per_second * SHARE
        seconds = SHORT_SECONDS if short else SECONDS
        tell(f"{seconds} s of {rate:,.0f} messages a second")
        samples, report = watched(ours, plan, rate, seconds)
    finally:
        ours.stop()
    result = {"rate": rate, "samples": samples, "report": report, "faults": load.faults(report)}
    return result | {"figures": [_figure(result).as_dict()]}


def watched(
    ours: Ours, plan: Any, rate: float, seconds: int, **more: Any
) -> tuple[list[tuple[float, float]], dict[str, Any]]:
    """The samples after warming up, and what the generator reports."""
    options = {"rate": round(rate, 1), "warm": WARM_SECONDS, "measure": seconds, **more}
    under_way = load.Load(ours.wire, plan, ours.path, **options)
    under_way.until("connected")
    under_way.until("open")
    samples, began = [], time.monotonic()
    for number in range(int(seconds * load.share) // EVERY + 1):
        time.sleep(max(0.0, began + number * EVERY - time.monotonic()))
        samples.append((round(time.monotonic() - began, 1), cpu.memory(ours.pids) / MIB))
    under_way.until("closed")
    return samples, under_way.report()


def slope(samples: Collection[tuple[float, float]]) -> float:
    """MiB a minute, by Theil and Sen: one look that is off moves it little."""
    points = list(samples)
    steps = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for number, earlier in enumerate(points)
        for later in points[number + 1 :]
    ]
    return 60 * statistics.median(steps)


def _figure(result: dict[str, Any]) -> Figure:
    samples, report = result["samples"], result["report"]
    minutes = samples[-1][0] / 60
    note = f"{samples[0][1]:.1f} MiB, {samples[-1][1]:.1f} MiB after {minutes:.0f} min of "
    note += f"{result['rate']:,.0f} messages a second, {report['delivered']:,} deliveries"
    if result["faults"]:
        note += f"; {', '.join(result['faults'])}"
    growth = round(slope(samples), 3)
    return Figure(
        "", "memory at half load: growth", growth, "MiB/min", at_most=GROWTH_MAX, note=note
    )
