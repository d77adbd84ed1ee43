"""A second process: what one delivery costs when each room's members are spread over two (G11).

The generator needs a core of its own, and there are two. So the capacity of two processes on two
cores is not read off a clock but computed: twice what they deliver per CPU second, against what
one process delivers per CPU second. What crossing processes costs is in it; that memory and cache
are shared is, too, for both run at once.
"""

from collections.abc import Callable
from statistics import median
from typing import Any

from bench import load
from bench.figures import Figure
from bench.ours import Ours
from bench.servers import LOAD_CORE, SERVER_CORE, Servers
from bench.setups import Setup

ROOMS, MEMBERS = 4, 100
IN_FLIGHT = 32  # for each process: twice the capacity is for twice the load
CORES = {1: (SERVER_CORE,), 2: (SERVER_CORE, LOAD_CORE)}


def run(servers: Servers, *, short: bool, tell: Callable[[str], None]) -> dict[str, Any]:
    times = {"warm": 0.7, "measure": 2.5} if short else {"warm": 2.0, "measure": 6.0}
    found: dict[int, list[load.Run]] = {1: [], 2: []}
    for turn in range(3 if short else 5):
        for workers, cores in CORES.items():
            tell(f"processes, round {turn + 1}: {workers}")
            found[workers].append(_measured(servers, cores, times))
    each = {workers: median(run.per_cpu_second for run in runs) for workers, runs in found.items()}
    figure = Figure(
        "G11", "capacity of two processes, deliveries", 2 * each[2], "/s on two cores",
        "one process", each[1], at_least=1.7, note="computed from the CPU time of each delivery",
    )  # fmt: skip
    return {"per_cpu_second": each, "figures": [figure.as_dict()]}


def _measured(servers: Servers, cores: tuple[int, ...], times: dict[str, float]) -> load.Run:
    site = Ours()
    try:
        site.start(servers, cores=cores)
        one = Setup("ours", site, servers)
        found = one.measure(
            one.plan(ROOMS, MEMBERS), in_flight=IN_FLIGHT * len(cores), doze=True, **times
        )
    finally:
        site.stop()
    if faults := [fault for fault in found.faults if "generator" not in fault]:
        raise load.Invalid(f"processes: {', '.join(faults)}")
    return found
