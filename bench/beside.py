"""This checkout beside one of its own commits, in one run (`make bench-beside ARGS=4bf8c17`).

Both run as `manage.py up` does, on the same stores, each on a database of its own. They run at the
same time and are measured in turns of a few seconds, so that a machine whose speed drifts favours
nobody; which of them begins changes with each repeat. Memory is measured when they have just begun.
What counts is the median of the ratios of the repeats. Kept in bench/results/beside.json.
"""

import argparse
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median, quantiles

import psycopg

from bench import load, report
from bench.figures import Figure
from bench.ours import DATABASE, Ours, environment
from bench.scenarios import memory, talk
from bench.servers import HOME, ROOT, SERVER_CORE, Servers, on_core, running
from bench.setups import Setup
from chattalk.server.workers import listen

NOISE = 0.03  # of a ratio; what is within it counts as equal
READY_WITHIN, STOP_WITHIN = 60, 60  # seconds
REPEATS, SECONDS = 20, 2.0
QUIET_TIMES = 3  # as long as others: few messages are said there, and a hundredth of them counts

ROOMS_APART = 1_000_000  # more than either opens

Values = dict[str, float]
# goal, what, in which case of talk, value, unit, whether more is better
TALKS: tuple[tuple[str, str, talk.Case, talk.Value, str, bool], ...] = (
    ("G1", "hot room: deliveries", talk.HOT, talk.per_cpu_second, "/CPU-s", True),
    ("G3", "small rooms: messages", talk.SMALL, talk.messages_per_second, "/s", True),
    ("G4", "quiet room: p50", talk.QUIET, talk.latency("p50"), "ms", False),
    ("G4", "quiet room: p99", talk.QUIET, talk.latency("p99"), "ms", False),
)
Kind = tuple[str, str, str, bool]  # goal, what, unit, whether more is better
TALK_KINDS: list[Kind] = [(goal, what, unit, more) for goal, what, _, _, unit, more in TALKS]
MEMORY: Kind = ("G6", f"memory per connection, {memory.CONNECTIONS:,} idle", "KiB", False)


class Checkout(Ours):
    """A tree of files of ours, served by its own `manage.py up`."""

    def __init__(self, name: str, root: Path) -> None:
        super().__init__()
        self.name, self.root = name, root
        self._port = _free_port()  # the same in each repeat: who comes again finds it there

    def prepare(self, servers: Servers, first_room: int) -> None:
        """An empty database with this tree's tables. Rooms of the two have numbers of their own:
        both hear the same channel layer, and what the other tells is not for them."""
        short = "".join(filter(str.isalnum, self.name)).lower()
        self.database = servers.database(f"{DATABASE}_{short}")
        data = {"CHATTALK_DATA": str(HOME / "beside" / f"data-{short}")}
        self.environment = environment(servers, self.database) | data
        self.manage("migrate", "--verbosity", "0")
        with psycopg.connect(self.database, autocommit=True) as database:
            database.execute("SELECT setval('rooms_room_id_seq', %s, false)", [first_room])

    @contextmanager
    def serving(self) -> Iterator[None]:
        command = [sys.executable, "manage.py", "up", "--port", str(self._port)]
        log = HOME / "log" / f"beside-{self.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self.up = subprocess.Popen(
                on_core(SERVER_CORE, command),
                cwd=self.root,
                env=os.environ | self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait(log)
            yield
        finally:
            self.up.send_signal(signal.SIGTERM)
            self.up.wait(STOP_WITHIN)

    def _wait(self, log: Path) -> None:
        until = time.monotonic() + READY_WITHIN
        while time.monotonic() < until and self.up.poll() is None:
            with suppress(OSError):
                asked = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
                asked.request("GET", "/readyz")
                if asked.getresponse().status == 200:
                    return
            time.sleep(0.1)  # between two questions
        raise load.Invalid(f"{self.name} does not serve: see {log}")

    @property
    def pids(self) -> list[int]:
        return [self.up.pid]

    @property
    def ports(self) -> list[int]:
        return [self._port]


def main() -> int:
    options = _options()
    began = time.monotonic()
    load.build()
    with running() as servers:
        sides = [Checkout("this", ROOT), Checkout(options.commit, tree(options.commit))]
        those = [Setup(side.name, side, servers) for side in sides]
        for number, side in enumerate(sides):
            side.prepare(servers, 1 + number * ROOMS_APART)
        with ExitStack() as stack:
            memories = {}
            for one in those:
                stack.enter_context(one.server.serving())
                memories[one.name] = {MEMORY[1]: memory.per_connection(one) / 1024}
            turns = [_turn(those, number, options.seconds) for number in range(options.repeats)]
    figures = [
        *compared(turns, options.commit, TALK_KINDS),
        *compared([memories], options.commit, [MEMORY]),
    ]
    minutes = (time.monotonic() - began) / 60
    found = {"beside": {"turns": turns, "figures": [one.as_dict() for one in figures]}}
    versions = {"this": report.environment()["commit"], "other": options.commit}
    report.keep_and_show(
        found, size="beside", failed={}, absent={}, versions=versions, minutes=minutes
    )
    return 0 if all(one.met for one in figures) else 1


def tree(commit: str) -> Path:
    """The files of that commit, apart from this checkout."""
    known = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if not known.stdout:
        raise SystemExit(f"There is no commit {commit} in this repository.")
    path = HOME / "beside" / known.stdout.strip()
    if not path.exists():
        path.mkdir(parents=True)
        archive = subprocess.run(
            ["git", "archive", known.stdout.strip()], cwd=ROOT, capture_output=True, check=True
        )
        subprocess.run(["tar", "-x"], cwd=path, input=archive.stdout, check=True)
    return path


def _turn(those: list[Setup], number: int, seconds: float) -> dict[str, Values]:
    """Each side once in each case, by its name; a figure by what it is of."""
    order = those if number % 2 == 0 else those[::-1]
    print(f"repeat {number + 1}: {order[0].name} first", file=sys.stderr, flush=True)
    runs = {
        (one.name, case.name): _talked(one, case, seconds)
        for case in (talk.HOT, talk.SMALL, talk.QUIET)
        for one in order
    }
    return {
        one.name: {what: value(runs[one.name, case.name]) for _, what, case, value, _, _ in TALKS}
        for one in those
    }


def _talked(one: Setup, case: talk.Case, seconds: float) -> load.Run:
    plan = one.plan(case.rooms, case.members)
    seconds *= QUIET_TIMES if case is talk.QUIET else 1
    found = one.measure(plan, in_flight=case.in_flight, warm=0.7, measure=seconds)
    if found.faults:
        raise load.Invalid(f"{one.name}, {case.name}: {', '.join(found.faults)}")
    return found


def compared(turns: list[dict[str, Values]], other: str, kinds: Iterable[Kind]) -> Iterator[Figure]:
    """The median ratio of the repeats; "ours" is that ratio times the other's median."""
    for goal, what, unit, is_more_better in kinds:
        ratios = sorted(turn["this"][what] / turn[other][what] for turn in turns)
        theirs = median(turn[other][what] for turn in turns)
        bound = {"at_least": 1 - NOISE} if is_more_better else {"at_most": 1 + NOISE}
        yield Figure(
            goal, what, median(ratios) * theirs, unit, f"commit {other}", theirs,
            note=_spread(ratios), **bound,
        )  # fmt: skip


def _spread(ratios: list[float]) -> str:
    if len(ratios) < 4:
        return ""
    low, _, high = quantiles(ratios, n=4)
    return f"of {len(ratios)} ratios half are from {low:.3f} to {high:.3f}"


def _free_port() -> int:
    with listen("127.0.0.1", 0, 1)[0] as one:
        return one.getsockname()[1]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit", help="what to compare with")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="default: %(default)s")
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help="of each measurement, default: %(default)s"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
