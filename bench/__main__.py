"""The benchmark: `make bench` (short, about 10 minutes) and `make bench-full`.

    python -m bench [short|full] [row or scenario …]      s1 s5 g8 talk
    python -m bench --install                             so that no run needs a network
    python -m bench --look s1                             windows of a moment; nothing is kept

Each scenario's result is kept by itself in bench/results/, with its date and commit, and the table
of docs/performance.md is made anew of all that is kept: so it can be measured in parts. A scenario
that fails is named with its reason, and the others go on; the exit status tells.
"""

import argparse
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from bench import charts, kept, load, page, report, sizing
from bench.goals import judged
from bench.scenarios import (
    arrivals,
    arrivals_kept,
    before,
    burst,
    catch_up,
    joins,
    memory,
    memory_flat,
    missed,
    original_load,
    pauses,
    rows,
    scale,
    sizes,
    stalled,
    talk,
    visits,
    workers,
    writes,
)
from bench.servers import Servers, running
from bench.setups import PEERS, Setups, setups
from chattalk.embedded import StartFailed

LOOK = 0.2  # of each window

Tell = Callable[[str], None]
Scenarios = dict[str, Callable[..., dict[str, Any]]]
# Those that share what is started, first; then those that start their own.
SHARED: Scenarios = {"talk": talk.run, "stalled": stalled.run}
SHARED_FULL: Scenarios = {"sizes": sizes.run}
OWN: Scenarios = {
    "scale": scale.run,
    "workers": workers.run,
    "memory": memory.run,
    "catch_up": catch_up.run,
    "reconnects": before.run_reconnects,
    "burst": burst.run,
    "arrivals": arrivals.run,
    "arrivals_kept": arrivals_kept.run,
    "writes": writes.run,
    "joins": joins.run,
    "missed": missed.run,
    "original_load": original_load.run,
}
OWN_FULL: Scenarios = {
    "rows": rows.run,
    "memory_flat": memory_flat.run,
    "many_workers": workers.run_many,
    "idle": before.run_idle,
    "visits": visits.run,
    "pauses": pauses.run,
}
EVERY = SHARED | SHARED_FULL | OWN | OWN_FULL
ROWS = {
    **dict.fromkeys(("g1", "g2", "g3", "g4", "g15", "s7", "s8", "s12"), "talk"),
    **dict.fromkeys(("g5", "s11"), "writes"),
    **dict.fromkeys(("g12", "s9"), "joins"),
    "g6": "memory", "g7": "burst", "g8": "catch_up", "g9": "arrivals", "g10": "stalled",
    "g11": "scale", "g13": "original_load", "g14": "missed",
    "s1": "workers", "s3": "many_workers", "s4": "pauses", "s5": "workers",
    "s6": "reconnects", "s10": "idle", "s13": "visits",
}  # fmt: skip


class Session:
    """What was measured so far; each scenario is kept when it is done."""

    def __init__(self, options: argparse.Namespace, those: Setups, tell: Tell) -> None:
        self.size, self.is_look = options.size, options.look
        self.is_short, self.wanted = options.size == "short", options.what
        self.those, self.tell = those, tell
        self.figures: list[dict[str, Any]] = []
        self.failed: dict[str, str] = {}

    def run_all(self, usual: Scenarios, full: Scenarios, on: Setups | Servers) -> None:
        """What is asked for by name is run, whatever the size."""
        scenarios = usual if self.is_short and not self.wanted else usual | full
        for name, run in scenarios.items():
            if self.wanted and name not in self.wanted:
                continue
            try:
                self._run(name, run, on)
            except Exception as error:  # one that fails must not cost the others
                traceback.print_exc()
                self.failed[name] = f"{type(error).__name__}: {error}"

    def _run(self, name: str, run: Callable[..., dict[str, Any]], on: Setups | Servers) -> None:
        began = time.monotonic()
        found = judged(name, run(on, short=self.is_short, tell=self.tell))
        self.figures += found["figures"]
        if not self.is_look:
            minutes = round((time.monotonic() - began) / 60, 2)
            about = {"absent": self.those.absent, "versions": self.those.versions}
            kept.keep(name, found, size=self.size, minutes=minutes, **about)


def main() -> int:
    options, tell, began = _options(), _teller(), time.monotonic()
    if options.look:
        load.share = LOOK
    with running() as servers, setups(servers, tell) as those:
        if options.install:
            those.install(*PEERS)
            return _show_absent(those)
        session = Session(options, those, tell)
        session.run_all(SHARED, SHARED_FULL, those)
        those.close()
        session.run_all(OWN, OWN_FULL, servers)
    print("\n" + report.terminal(session.figures))
    _show_absent(those)
    for name, why in session.failed.items():
        print(f"{name}: {why}")
    print(f"{(time.monotonic() - began) / 60:.1f} minutes")
    if not options.look:
        _write(is_short=session.is_short)
    return 1 if session.failed else 0


def _write(*, is_short: bool) -> None:
    """The pages that are made of what is kept."""
    page.main()
    sizing.main()
    if not is_short:
        charts.make()
    print(f"Kept in {kept.RESULTS}; {page.PAGE} has the table.")


def _show_absent(those: Setups) -> int:
    for name, why in those.absent.items():
        print(f"{name}: {why}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    told = f"short or full, and what alone: rows ({', '.join(ROWS)}) or {', '.join(EVERY)}"
    parser.add_argument("what", nargs="*", type=str.lower, help=told)
    parser.add_argument("--install", action="store_true", help="install the peers, and end")
    parser.add_argument("--look", action="store_true", help="whether it runs; nothing is kept")
    options = parser.parse_args()
    is_told = options.what[:1] in (["short"], ["full"])
    options.size = options.what.pop(0) if is_told else "short"
    options.what = {ROWS.get(one, one) for one in options.what}
    if unknown := options.what - EVERY.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    return options


def _teller() -> Tell:
    """A progress line: it stays where it is on a terminal."""
    began, is_terminal = time.monotonic(), sys.stderr.isatty()
    start, end = ("\r\033[K", "") if is_terminal else ("", "\n")

    def tell(text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - began), 60)
        print(f"{start}{minutes}:{seconds:02} {text}", end=end, file=sys.stderr, flush=True)

    return tell


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StartFailed as why:
        sys.exit(str(why))
