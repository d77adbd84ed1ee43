"""Many workers on one core: 40 hot rooms of 100, each room's people dealt out over all workers.

S1: what a delivery costs on 8 workers, beside 1 on the same core. S5: what half of that load takes,
beside the whole. S3 (`many_workers`): the same on 32 workers, beside 8. Ours beside ourselves, in
turns, on sites that run at the same time; of two rounds what is between them counts.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench import cpu, load
from bench.figures import Figure
from bench.ours import Ours
from bench.servers import SERVER_CORE, Servers
from bench.setups import Setup
from chattalk.embedded import share

ROOMS, MEMBERS, IN_FLIGHT = 40, 100, 640
WHAT = f"{ROOMS} hot rooms of {MEMBERS}"
# Rooms find their homes in the first seconds; a home that was late then is left alone for five.
SHORT_TIMES, TIMES = {"warm": 8.0, "measure": 3.0}, {"warm": 8.0, "measure": 6.0}
HALF = 0.5
SERVED = 0.9  # of what was said in an open loop; less, and it was more than half of a load
QUIET_WITHIN = 20  # seconds, until those who left are written down

Tell = Callable[[str], None]


class Site:
    """So many workers on the servers' core, and the crowd that comes to them again and again."""

    def __init__(self, setup: Setup, workers: int, plan: Path) -> None:
        self.setup, self.workers, self._plan = setup, workers, plan

    def talk(self, **options: Any) -> load.Run:
        cpu.until_quiet(self.setup.pids, within=QUIET_WITHIN)
        run = self.setup.measure(self._plan, **options)
        if run.faults:
            raise load.Invalid(f"{self.workers} workers: {', '.join(run.faults)}")
        return run


@contextmanager
def sites(servers: Servers, tell: Tell, *counts: int) -> Iterator[list[Site]]:
    """One for each number of workers."""
    with ExitStack() as ends:
        found = []
        for number, workers in enumerate(counts, start=1):
            tell(f"starting {workers} workers on one core")
            ours = Ours(number)
            ends.callback(ours.stop)
            ours.prepare(servers)
            each = share(ours.database, sum(counts))  # all of them run at the same time
            ours.serve((SERVER_CORE,) * workers, {"DATABASE_CONNECTIONS": str(each)})
            setup = Setup(f"workers-{workers}", ours, servers)
            found.append(Site(setup, workers, setup.plan(ROOMS, MEMBERS)))
        yield found


def run(servers: Servers, *, short: bool, tell: Tell) -> dict[str, Any]:
    """`full`, `half`: by number of workers what each round gave; `figures`."""
    times = SHORT_TIMES if short else TIMES
    full: dict[int, list[dict[str, float]]] = {1: [], 8: []}
    half: dict[int, list[dict[str, float]]] = {1: [], 8: []}
    with sites(servers, tell, 1, 8) as those:
        for turn in range(2 if short else 4):
            for one in those:
                tell(f"{WHAT}, round {turn + 1}: {one.workers} workers")
                full[one.workers].append(_numbers(one.talk(in_flight=IN_FLIGHT, **times)))
        for one in those[1:] if short else those:
            tell(f"{WHAT}, half the load: {one.workers} workers")
            rate = HALF * _middle(full[one.workers], "messages_per_second")
            half[one.workers].append(_at_rate(one, rate, times))
    figures = [*_of_workers(full), *_of_half(full, half)]
    return {"full": full, "half": half, "figures": [figure.as_dict() for figure in figures]}


def run_many(servers: Servers, *, short: bool, tell: Tell) -> dict[str, Any]:
    times = SHORT_TIMES if short else TIMES
    found: dict[int, list[dict[str, float]]] = {8: [], 32: []}
    with sites(servers, tell, 8, 32) as those:
        for turn in range(2 if short else 4):
            for one in those:
                tell(f"{WHAT}, round {turn + 1}: {one.workers} workers")
                found[one.workers].append(_numbers(one.talk(in_flight=IN_FLIGHT, **times)))
    cost = {workers: 1e6 / _middle(some, "per_cpu_second") for workers, some in found.items()}
    figure = Figure(
        "S3", f"{WHAT}, 32 workers on one core: CPU of a delivery", cost[32], "µs",
        "8 workers", cost[8], at_most=1.3,
    )  # fmt: skip
    return {"full": found, "figures": [figure.as_dict()]}


def _at_rate(one: Site, rate: float, times: dict[str, float]) -> dict[str, float]:
    found = _numbers(one.talk(rate=round(rate, 1), **times))
    if found["messages_per_second"] < SERVED * rate:
        told = f"{found['messages_per_second']:.0f} of {rate:.0f} messages a second were served"
        raise load.Invalid(f"{one.workers} workers, half the load: {told}")
    return found


def _numbers(run: load.Run) -> dict[str, float]:
    return {
        "per_cpu_second": run.per_cpu_second,
        "messages_per_second": run.messages_per_second,
        "cores": run.cpu_seconds / run.report["seconds"],
        "p50_ms": run.report["latency_ms"]["p50"],
        "p99_ms": run.report["latency_ms"]["p99"],
        "busy": run.report["busy"],
    }


def _middle(some: list[dict[str, float]], name: str) -> float:
    return median(one[name] for one in some)


def _of_workers(full: dict[int, list[dict[str, float]]]) -> Iterator[Figure]:
    one, many = (_middle(full[workers], "per_cpu_second") for workers in (1, 8))
    yield Figure(
        "S1", f"{WHAT}, 8 workers on one core: deliveries", many, "/CPU-s", "1 worker", one,
        at_least=0.85,
    )  # fmt: skip


def _of_half(
    full: dict[int, list[dict[str, float]]], half: dict[int, list[dict[str, float]]]
) -> Iterator[Figure]:
    for workers, bound in ((8, 0.65), (1, None)):
        if not half[workers]:
            continue
        taken, whole = (_middle(some[workers], "cores") for some in (half, full))
        told = "1 worker" if workers == 1 else f"{workers} workers"
        rate = _middle(half[workers], "messages_per_second")
        yield Figure(
            "S5" if bound else "", f"{WHAT}, half the load, {told} on one core: CPU", taken,
            "cores", "the whole load", whole, at_most=bound,
            note=f"{rate:,.0f} messages a second, open loop; "
            f"p99 {_middle(half[workers], 'p99_ms'):.1f} ms",
        )  # fmt: skip
