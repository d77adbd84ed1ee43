"""The benchmark: `make bench` (short, under 10 minutes) and `make bench-full`.

    python -m bench [short|full] [scenario …]

Prints the table of goals, and keeps all of it as JSON in bench/results/. A scenario that fails is
named with its reason, and the others go on; the exit status tells.
"""

import argparse
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from bench import charts, report
from bench.goals import judged
from bench.scenarios import (
    arrivals,
    arrivals_kept,
    burst,
    catch_up,
    joins,
    memory,
    memory_flat,
    missed,
    original_load,
    rows,
    scale,
    sizes,
    stalled,
    talk,
    writes,
)
from bench.servers import Servers, running
from bench.setups import Setups, setups

Tell = Callable[[str], None]
# Those that share what is started, first; then those that start their own.
SHARED = {"talk": talk.run, "stalled": stalled.run}
SHARED_FULL = {"sizes": sizes.run}
OWN = {
    "scale": scale.run,
    "memory": memory.run,
    "catch_up": catch_up.run,
    "burst": burst.run,
    "arrivals": arrivals.run,
    "arrivals_kept": arrivals_kept.run,
    "writes": writes.run,
    "joins": joins.run,
    "missed": missed.run,
    "original_load": original_load.run,
}
OWN_FULL = {"rows": rows.run, "memory_flat": memory_flat.run}


def main() -> int:
    options = _options()
    is_short = options.size == "short"
    is_usual = is_short and not options.scenario  # what is asked for by name is run
    tell = _teller()
    found: dict[str, Any] = {}
    failed: dict[str, str] = {}
    with running() as servers:
        with setups(servers, tell) as those:
            those.install()
            began = time.monotonic()
            shared = SHARED if is_usual else SHARED | SHARED_FULL
            _run_all(shared, options.scenario, those, is_short, tell, found, failed)
        own = OWN if is_usual else OWN | OWN_FULL
        _run_all(own, options.scenario, servers, is_short, tell, found, failed)
    minutes = (time.monotonic() - began) / 60
    # Of some scenarios alone, the file says which: the whole run's is not lost.
    name = "-".join([options.size, *options.scenario])
    kept = report.keep_and_show(
        found, failed=failed, absent=those.absent, versions=those.versions,
        size=name, minutes=minutes,
    )  # fmt: skip
    if not is_short:
        charts.make(kept)
    return 1 if failed else 0


def _run_all(
    scenarios: dict[str, Callable[..., dict[str, Any]]],
    wanted: list[str],
    on: Setups | Servers,
    is_short: bool,
    tell: Tell,
    found: dict[str, Any],
    failed: dict[str, str],
) -> None:
    for name, run in scenarios.items():
        if wanted and name not in wanted:
            continue
        try:
            found[name] = judged(name, run(on, short=is_short, tell=tell))
        except Exception as error:  # one that fails must not cost the others
            traceback.print_exc()
            failed[name] = f"{type(error).__name__}: {error}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", nargs="?", choices=("short", "full"), default="short")
    known = (*SHARED, *SHARED_FULL, *OWN, *OWN_FULL)
    parser.add_argument("scenario", nargs="*", choices=[*known, []], help="these alone")
    return parser.parse_args()


def _teller() -> Tell:
    """A progress line: it stays where it is on a terminal."""
    began, is_terminal = time.monotonic(), sys.stderr.isatty()
    start, end = ("\r\033[K", "") if is_terminal else ("", "\n")

    def tell(text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - began), 60)
        print(f"{start}{minutes}:{seconds:02} {text}", end=end, file=sys.stderr, flush=True)

    return tell


if __name__ == "__main__":
    sys.exit(main())
