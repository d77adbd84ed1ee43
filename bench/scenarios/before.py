"""Beside the build before rooms had homes: S6, what a whole reconnect costs, and S10, what an idle
connection takes. Both builds serve at the same time, on the same stores, and take turns."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from bench import cpu, load
from bench.checkouts import BEFORE_HOMES, beside
from bench.figures import Figure
from bench.scenarios import catch_up, memory
from bench.servers import Servers
from bench.setups import Setup

BEFORE = f"the build before rooms had homes ({BEFORE_HOMES})"
ROOMS, MEMBERS = 100, 100  # idle
QUIET_WITHIN = 20  # seconds, until those who left are written down

Tell = Callable[[str], None]


@contextmanager
def both(servers: Servers, tell: Tell) -> Iterator[tuple[Setup, Setup]]:
    tell(f"starting this checkout, and {BEFORE}")
    with beside(servers, BEFORE_HOMES) as sides:
        this, before = (Setup(side.name, side, servers) for side in sides)
        yield this, before


def run_reconnects(servers: Servers, *, short: bool, tell: Tell) -> dict[str, Any]:
    """`per_cpu_second`: of each build in each round; `figures`."""
    load.build()
    found: dict[str, list[float]] = {}
    with both(servers, tell) as those:
        plans = {one.name: one.plan(1, catch_up.CLIENTS) for one in those}
        heads = {one.name: catch_up.say_something(one, plans[one.name]) for one in those}
        for turn in range(4 if short else 10):
            for one in those if turn % 2 == 0 else those[::-1]:
                tell(f"reconnects, round {turn + 1}: {one.name}")
                after = heads[one.name] - catch_up.MISSED
                some = found.setdefault(one.name, [])
                some.append(_reconnected(one, plans[one.name], after))
    ours, theirs = (median(some) for some in found.values())
    what = f"whole reconnects: sign-in looked up, seat, presence, {catch_up.MISSED} missed"
    figure = Figure("S6", what, ours, "/CPU-s", BEFORE, theirs, at_least=2)
    return {"per_cpu_second": found, "figures": [figure.as_dict()]}


def _reconnected(one: Setup, plan: Any, after: int) -> float:
    cpu.until_quiet(one.pids, within=QUIET_WITHIN)
    run = catch_up.catch_up(one, plan, after, reconnect=True)
    if run.faults:
        raise load.Invalid(f"reconnects, {one.name}: {', '.join(run.faults)}")
    return catch_up.CLIENTS / run.cpu_seconds


def run_idle(servers: Servers, *, short: bool, tell: Tell) -> dict[str, Any]:
    """`kilobytes` of each build; `figures`."""
    load.build()
    kilobytes: dict[str, float] = {}
    with both(servers, tell) as those:
        for one in those:
            tell(f"{ROOMS * MEMBERS:,} idle connections: {one.name}")
            kilobytes[one.name] = memory.per_connection(one, ROOMS, MEMBERS) / 1024
    ours, theirs = kilobytes.values()
    what = f"memory per connection, {ROOMS * MEMBERS:,} idle"
    figure = Figure("S10", what, ours, "KiB", BEFORE, theirs, at_most=0.7)
    return {"kilobytes": kilobytes, "figures": [figure.as_dict()]}
