"""S4: the longest pause of a worker's loop with 10,000 sockets, while they talk at half of what it
can do for 10 minutes (short: 1), and whether its memory stays flat.

A pause is seen from outside: one socket after the other asks for a pong, every 2 ms, and the
slowest answer counts. So what else keeps a worker from answering is in it, as the stores on its
core.
"""

from collections.abc import Callable
from typing import Any

from bench import cpu, load
from bench.figures import Figure
from bench.ours import Ours
from bench.scenarios.memory_flat import EVERY, GROWTH_MAX, SHARE, slope, watched
from bench.servers import SERVER_CORE, Servers
from bench.worker_figures import collections, free_ports

ROOMS, MEMBERS, IN_FLIGHT = 100, 100, 640
SECONDS, SHORT_SECONDS = 600, 60
PING_SECONDS = 0.002
PAUSE_MAX = 30.0  # milliseconds
QUIET_WITHIN = 20  # seconds, until those who left are written down


def run(servers: Servers, *, short: bool, tell: Callable[[str], None]) -> dict[str, Any]:
    """`report`: with `pinged_ms`; `samples`: seconds since the start and MiB; `figures`."""
    ours = Ours()
    try:
        ours.prepare(servers)
        ours.serve((SERVER_CORE,), metrics_port=(first := free_ports(2)))
        tell(f"{ROOMS * MEMBERS:,} people")
        plan = ours.plan(ROOMS, MEMBERS)
        tell("what the worker can do")
        pids = [*ours.pids, *servers.pids.values()]
        able = load.measure(ours.wire, plan, ours.path, pids, in_flight=IN_FLIGHT)
        rate = able.messages_per_second * SHARE
        seconds = SHORT_SECONDS if short else SECONDS
        tell(f"{seconds} s of {rate:,.0f} messages a second")
        cpu.until_quiet(pids, within=QUIET_WITHIN)
        samples, report = watched(ours, plan, rate, seconds, ping=PING_SECONDS)
        collected = collections(first + 1)
    finally:
        ours.stop()
    if faults := load.faults(report):
        raise load.Invalid(f"pauses: {', '.join(faults)}")
    result = {"rate": rate, "samples": samples, "report": report, "collections": collected}
    return result | {"figures": [one.as_dict() for one in _figures(result)]}


def _figures(result: dict[str, Any]) -> list[Figure]:
    pinged, samples = result["report"]["pinged_ms"], result["samples"]
    what = f"{ROOMS * MEMBERS:,} sockets, {samples[-1][0] / 60:.0f} min of talk at half load"
    return [
        Figure("S4", f"{what}: longest pause", pinged["max"], "ms", at_most=PAUSE_MAX,
               note=note(result["rate"], pinged, result["collections"])),
        Figure("S4", f"{what}: growth of memory", round(slope(samples), 3), "MiB/min",
               at_most=GROWTH_MAX if samples[-1][0] >= SECONDS - EVERY else None,
               note=f"{samples[0][1]:.0f} MiB, {samples[-1][1]:.0f} MiB at the end"),
    ]  # fmt: skip


def note(rate: float, pinged: dict[str, Any], collected: dict[str, float]) -> str:
    """Of collections the bounds come in order, and each counts those below it, too."""
    most = max(collected.values(), default=0.0)
    bound = next((bound for bound, many in collected.items() if many == most), "?")
    return (
        f"{rate:,.0f} messages a second; of {pinged['count']:,} pongs half within "
        f"{pinged['p50']:.1f} ms, 99.9 % within {pinged['p999']:.1f}; "
        f"each of {most:,.0f} collections of garbage within {bound} s"
    )
