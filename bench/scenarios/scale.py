"""A second process: what one delivery costs when each room's members are spread over two (G11).

The generator needs a core of its own, and there are two. So the capacity of two processes on two
cores is not read off a clock but computed: twice what they deliver per CPU second, against what
one process delivers per CPU second. What crossing processes costs is in it; that memory and cache
are shared is, too, for both run at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench import load
from bench.figures import Figure
from bench.ours import Ours
from bench.servers import LOAD_CORE, SERVER_CORE, Servers
from bench.setups import Setup

CORES = {1: (SERVER_CORE,), 2: (SERVER_CORE, LOAD_CORE)}


@dataclass(frozen=True)
class Case:
    """Messages in flight are for each process: twice the capacity is for twice the load."""

    name: str
    rooms: int
    members: int
    in_flight: int
    at_least: float | None = None
    note: str = "computed from the CPU time of each delivery"


LARGE = Case("4 rooms of 500", 4, 500, 4, 1.7)
HOT = Case(
    "4 hot rooms of 100", 4, 100, 32,
    note="two writers take turns at each room's row, and a socket gets two halves of what one "
    "process joins in one write",
)  # fmt: skip


def run(servers: Servers, *, short: bool, tell: Callable[[str], None]) -> dict[str, Any]:
    times = {"warm": 1.0, "measure": 2.5} if short else {"warm": 2.0, "measure": 6.0}
    found: dict[str, dict[int, float]] = {}
    for case in (LARGE, HOT):
        runs: dict[int, list[float]] = {1: [], 2: []}
        for turn in range(2 if short else 5):
            for workers, cores in CORES.items():
                tell(f"processes, {case.name}, round {turn + 1}: {workers}")
                runs[workers].append(_measured(servers, case, cores, times).per_cpu_second)
        found[case.name] = {workers: median(some) for workers, some in runs.items()}
    figures = [_figure(case, found[case.name]) for case in (LARGE, HOT)]
    return {"per_cpu_second": found, "figures": [one.as_dict() for one in figures]}


def _figure(case: Case, each: dict[int, float]) -> Figure:
    return Figure(
        "G11", f"capacity of two processes, {case.name}: deliveries", 2 * each[2],
        "/s on two cores", "one process", each[1], at_least=case.at_least, note=case.note,
    )  # fmt: skip


def _measured(
    servers: Servers, case: Case, cores: tuple[int, ...], times: dict[str, float]
) -> load.Run:
    site = Ours()
    try:
        site.start(servers, cores=cores)
        one = Setup("ours", site, servers)
        plan = one.plan(case.rooms, case.members)
        # The generator shares a core with the second process: it sleeps when nothing comes.
        found = one.measure(plan, in_flight=case.in_flight * len(cores), doze=True, **times)
    finally:
        site.stop()
    if faults := [fault for fault in found.faults if "generator" not in fault]:
        raise load.Invalid(f"processes: {', '.join(faults)}")
    return found
