"""The fault harness: `make faults` (short, under 10 minutes) and `make faults-full`.

    python -m faults [short|full] [--seed N] [id …]

Prints a line for each scenario with all that must be zero, and keeps the results as JSON in
faults/results/, the histories below var/faults/. The exit status tells whether all was zero.
"""

import argparse
import asyncio
import sys
import time
import traceback
from functools import partial
from typing import Any

import uvloop

from faults import catalogue, report  # noqa: F401  (the catalogue fills itself)
from faults.run import CATALOGUE, Absent, Scenario, prepared
from faults.site import HOME, Site, running


def main() -> int:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_main(_options()))


async def _main(options: argparse.Namespace) -> int:
    is_full = options.size == "full"
    wanted = [one for one in CATALOGUE.values() if _is_wanted(one, options, is_full)]
    tell = _teller()
    rows: list[dict[str, Any]] = []
    async with running() as site:
        for number, one in enumerate(wanted, 1):
            row = await _play(site, one, options, is_full, partial(tell, f"{number}/{len(wanted)}"))
            rows.append(row)
            report.show(row)
            report.keep(rows, size=options.size, is_whole=not options.id)
    print(report.summary(rows))
    if is_full or not options.id:
        report.write()
    return 0 if all(row["is_good"] for row in rows) else 1


async def _play(
    site: Site, one: Scenario, options: argparse.Namespace, is_full: bool, tell: Any
) -> dict[str, Any]:
    """All its seeds; one after another, for they share the machine."""
    runs, began = [], time.monotonic()
    for seed in range(options.seed, options.seed + (one.seeds if is_full else 1)):
        tell(f"{one.id} {one.what}, seed {seed}")
        error = ""
        async with prepared(site, one, seed, is_full=is_full) as run:
            try:
                async with asyncio.timeout(one.within):
                    await one.play(run)
            except Absent as why:
                return report.absent(one, why)
            except Exception as failed:  # one that fails must not cost the others
                traceback.print_exc()
                error = f"{type(failed).__name__}: {failed}"
        run.history.keep(HOME / "histories" / f"{one.id}-{seed}.jsonl")
        runs.append((seed, run, error))
    return report.row(one, runs, (time.monotonic() - began) / 60)


def _is_wanted(one: Scenario, options: argparse.Namespace, is_full: bool) -> bool:
    return one.id in options.id if options.id else is_full or one.short


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", nargs="?", choices=("short", "full"), default="short")
    parser.add_argument("--seed", type=int, default=1, help="the first one")
    parser.add_argument("id", nargs="*", choices=[*CATALOGUE, []], help="these alone")
    return parser.parse_args()


def _teller() -> Any:
    """A progress line: it stays where it is on a terminal."""
    began, is_terminal = time.monotonic(), sys.stderr.isatty()
    start, end = ("\r\033[K", "") if is_terminal else ("", "\n")

    def tell(place: str, text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - began), 60)
        line = f"{minutes}:{seconds:02} [{place}] {text}"
        print(f"{start}{line}", end=end, file=sys.stderr, flush=True)

    return tell


if __name__ == "__main__":
    sys.exit(main())
