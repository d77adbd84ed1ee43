"""One set-up at a time: so many workers on these cores, or Centrifugo on as many, and the load."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any

from bench import cpu, worker_figures
from bench.cores import crowd
from bench.cores.split import Split
from bench.load import Invalid, Run
from bench.load.fleet import Fleet
from bench.ours import Ours
from bench.peers.centrifugo import Centrifugo
from bench.scenarios.pauses import PING_SECONDS
from bench.servers import Servers

IN_FLIGHT = 16  # in each room
TIMES = {"warm": 7.0, "measure": 4.0}  # rooms find their homes in the first seconds
ROUNDS = 2
COMING = 200  # handshakes under way, of each generator
PAUSE_ROOMS, PAUSE_TIMES = 100, {"warm": 5.0, "measure": 30.0}
QUIET_WITHIN = 15  # seconds, until those who left are written down

Row = dict[str, Any]


class Bench:
    """The stores, a site with its people, and where each thing runs."""

    def __init__(self, servers: Servers, split: Split, tell: Callable[[str], None]) -> None:
        self.servers, self.split, self.tell = servers, split, tell
        self.ours = Ours()
        tell(f"making {crowd.ROOMS * crowd.MEMBERS:,} people")
        self.ours.prepare(servers)
        self._talking, self._missing = crowd.hot(self.ours)

    def of_workers(self, workers: int, cores: Sequence[int]) -> Row:
        """A line of the table."""
        told = f"{workers} worker{'s' * (workers > 1)}"
        with self._serving(workers, cores) as metrics:
            rounds = []
            for number in range(ROUNDS):
                self.tell(f"{told}: talk, round {number + 1}")
                rounds.append(self._talked(metrics))
            self.tell(f"{told}: all come back")
            back = self._come_back()
        return {"workers": workers, "cores": len(set(cores[:workers])), **_medians(rounds), **back}

    def of_centrifugo(self, cores: Sequence[int]) -> Row:
        self.tell(f"Centrifugo, {len(cores)} thread{'s' * (len(cores) > 1)}")
        peer = Centrifugo()
        peer.cores = tuple(cores)
        try:
            peer.start(self.servers)
            (own,) = peer.pids
            pids = [own, self.servers.pids["Valkey"]]
            run, taken = self._run(peer, crowd.strangers(), [peer.port], pids, **self._talk())
        finally:
            peer.stop()
        told = {"threads": len(cores), "faults": run.faults}
        return told | _numbers(run) | {"cpu": {"Centrifugo": taken[own] / run.report["seconds"]}}

    def of_pauses(self, rate: float, core: int) -> Row:
        """S4, short: one worker with many sockets, at so many messages a second."""
        self.tell(f"making people for {PAUSE_ROOMS * crowd.MEMBERS:,} sockets")
        rooms = [*self._talking, *crowd.many(self.ours, PAUSE_ROOMS - len(self._talking))]
        with self._serving(1, [core]) as (metrics,):
            self.tell(f"{len(rooms) * crowd.MEMBERS:,} sockets: pauses of the worker's loop")
            run, _ = self._own(
                rooms, per_room={"rate": rate / len(rooms)}, **PAUSE_TIMES,
                ping=PING_SECONDS * len(self.split.load),
            )  # fmt: skip
            collected = worker_figures.collections(metrics)
        told = {"sockets": run.report["clients"], "rate": rate, "collections": collected}
        return told | _numbers(run) | {"pinged_ms": run.report["pinged_ms"]}

    @contextmanager
    def _serving(self, workers: int, cores: Sequence[int]) -> Iterator[Sequence[int]]:
        """So many, dealt out over the cores; the ports of their figures."""
        first = worker_figures.free_ports(workers + 1)
        try:
            places = tuple(cores[number % len(cores)] for number in range(workers))
            self.ours.serve(places, metrics_port=first)
            yield range(first + 1, first + 1 + workers)
        finally:
            self.ours.stop()

    def _talk(self) -> dict[str, Any]:
        return {"per_room": {"in_flight": IN_FLIGHT}, **TIMES}

    def _talked(self, metrics: Sequence[int]) -> Row:
        stored, statements = worker_figures.batches(metrics)
        run, taken = self._own(self._talking, **self._talk())
        more, others = worker_figures.batches(metrics)
        joined = {"messages_per_commit": (more - stored) / max(1, others - statements)}
        return _numbers(run) | joined | {"cpu": self._shares(run, taken)}

    def _come_back(self) -> Row:
        """Everybody at once, each of whom missed 50 lines."""
        asked = {"after": 0, "missed": crowd.MISSED, "reconnect": True, "connecting": COMING}
        run, _ = self._own(self._missing, per_room={}, **asked)
        clients = run.report["clients"]
        return {
            "reconnects_per_second": clients / run.report["seconds"],
            "reconnects_per_cpu_second": clients / run.cpu_seconds,
        }

    def _own(self, rooms: Sequence[crowd.Room], **options: Any) -> tuple[Run, dict[int, float]]:
        """Of ours no run counts in which one line was lost, came twice or out of order."""
        pids = [*self.ours.pids, *self.servers.pids.values()]
        run, taken = self._run(self.ours, rooms, self.ours.ports, pids, **options)
        if wrong := [fault for fault in run.faults if "generator" not in fault]:
            raise Invalid(f"{len(self.ours.workers)} workers: {', '.join(wrong)}")
        return run, taken

    def _run(
        self, server: Any, rooms: Sequence[crowd.Room], ports: Sequence[int],
        pids: Collection[int], **options: Any,
    ) -> tuple[Run, dict[int, float]]:  # fmt: skip
        cpu.until_quiet(pids, within=QUIET_WITHIN)
        more = {} if self.split.is_apart else {"doze": True}
        plans = crowd.shares(rooms, ports, self.split.load)
        fleet = Fleet(server.wire, server.path, plans, **more, **options)
        return fleet.measured(pids)

    def _shares(self, run: Run, taken: dict[int, float]) -> Row:
        """Of a core, by process."""
        seconds = run.report["seconds"]
        stores = {name: taken[pid] / seconds for name, pid in self.servers.pids.items()}
        return {"workers": sorted(taken[pid] / seconds for pid in self.ours.pids), **stores}


def _numbers(run: Run) -> Row:
    report = run.report
    return {
        "messages_per_second": run.messages_per_second,
        "deliveries_per_second": run.per_second,
        "per_cpu_second": run.per_cpu_second,
        "deliveries_per_read": report["delivered"] / max(1, report["reads"]),
        "p50_ms": report["latency_ms"]["p50"],
        "p99_ms": report["latency_ms"]["p99"],
        "busy": report["busy"],
        "generators": report["generators"],
        "delivered": report["delivered"],
    }


def _medians(rounds: Sequence[Row]) -> Row:
    middle = {name: median(one[name] for one in rounds) for name in rounds[0] if name != "cpu"}
    return middle | {"cpu": rounds[-1]["cpu"]}
