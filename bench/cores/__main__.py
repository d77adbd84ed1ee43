"""What ChatTalk makes of the cores of this machine, by one command: `make bench-cores`.

    python -m bench.cores               within 8 minutes
    python -m bench.cores --install     what it needs of a network; after that it needs none
    python -m bench.cores --cores 8     as if there were so many: to see that it runs, for no figure

Stores, workers and load have cores of their own, as far as there are any. 4,000 people in 40 hot
rooms talk, 16 messages in flight in each, on 1, 2, 4, 8 … workers, and on Centrifugo with as many
threads where that is installed; then all come back, each of whom missed 50 lines; then 8 and 32
workers share what there is, and one has 10,000 sockets at half its load. Every delivery is checked:
if one is lost, comes twice or out of order, there is no result. Kept in
bench/results/cores-<cores>.json, and docs/performance.md has it.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

from bench import kept, load, page, report
from bench.cores import table
from bench.cores.measure import Bench, Row
from bench.cores.split import Split, split
from bench.machine import cpu_model, real_cores
from bench.peers import Absent
from bench.peers.centrifugo import Centrifugo
from bench.servers import running
from chattalk.embedded import StartFailed

LIMIT = 6.5 * 60  # seconds, after which nothing more is begun
CROWDED, FEW = (8, 32), 8  # workers, and the cores that they share at most
HALF = 0.5  # of the load
WORKER_MIB = 200  # with its share of the stores

Found = dict[str, Any]


def main() -> int:
    options = _options()
    load.build()
    versions, absent = _centrifugo()
    if options.install:
        return 0
    cores = real_cores()
    places = split(cores, played=options.cores)
    began = time.monotonic()
    _tell(f"{cpu_model()}, {_counted(cores)}: {_told(places)}")
    load.share = options.share
    with running(places.stores, workers=max(*CROWDED, *places.counts)) as servers:
        found = _measured(
            Bench(servers, places, _teller(began)), began, len(cores), has_peer=not absent
        )
    _show(found, options.cores or len(cores))
    minutes = round((time.monotonic() - began) / 60, 2)
    _tell(f"{minutes:.1f} minutes. {places.note}")
    if options.cores or options.share < 1:
        _tell("Nothing is kept.")
    else:
        _keep(found, len(cores), minutes=minutes, absent=absent, versions=versions)
    return 0


def _keep(found: Found, cores: int, **about: Any) -> None:
    path = kept.keep("cores", found, size="full", name=f"cores-{cores}", **about)
    page.main()
    _tell(f"Kept in {path}; {page.PAGE} has the rows.")


def _measured(bench: Bench, began: float, cores: int, *, has_peer: bool) -> Found:
    """`rows`, `centrifugo` and `crowded`: by number of workers; `left_out`: why."""
    places, rows, left_out = bench.split, [], []
    theirs: dict[int, Row] = {}
    for workers in places.counts if len(places.workers) > 1 else [1, 2]:
        if time.monotonic() - began > LIMIT:
            left_out.append(f"{workers} workers: no time")
            continue
        rows.append(bench.of_workers(workers, places.workers))
        if has_peer and workers <= len(places.workers):
            theirs[workers] = bench.of_centrifugo(places.workers[:workers])
    parts = {name: len(getattr(places, name)) for name in ("stores", "workers", "load")}
    found = {
        "split": parts | {"note": places.note},
        "rows": rows,
        "centrifugo": theirs,
        "crowded": _crowded(bench, rows, began, left_out),
        "pauses": _pauses(bench, rows, began, left_out),
        "left_out": left_out,
    }
    return found | {"figures": [one.as_dict() for one in table.figures(found, cores)]}


def _crowded(bench: Bench, rows: list[Row], began: float, left_out: list[str]) -> dict[int, Row]:
    """S3. What was measured already on just as many cores counts."""
    few = bench.split.workers[:FEW]
    if why := _why_not_crowded(bench.split, began):
        left_out.append(f"S3, 32 workers on {len(few)} cores: {why}")
        return {}
    known = {row["workers"]: row for row in rows if row["workers"] == row["cores"] == len(few)}
    return {n: known[n] if n in known else bench.of_workers(n, few) for n in CROWDED}


def _pauses(bench: Bench, rows: list[Row], began: float, left_out: list[str]) -> Row:
    """S4, at half of what one worker did."""
    if not bench.split.is_apart or time.monotonic() - began > LIMIT:
        why = "no time" if bench.split.is_apart else "no cores apart; make bench ARGS=s4 does it"
        left_out.append(f"S4, 10,000 sockets: {why}")
        return {}
    return bench.of_pauses(HALF * rows[0]["messages_per_second"], bench.split.workers[0])


def _why_not_crowded(places: Split, began: float) -> str:
    if not places.is_apart:
        return "no cores apart; make bench ARGS=s3 does it on one"
    if time.monotonic() - began > LIMIT:
        return "no time"
    there = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20
    return f"{there:,.0f} MiB are too few" if there < max(CROWDED) * WORKER_MIB else ""


def _centrifugo() -> tuple[dict[str, str], dict[str, str]]:
    """Its version, or why there is none."""
    try:
        return Centrifugo().install(), {}
    except Absent as why:
        _tell(f"Without Centrifugo beside it: {why}")
        return {}, {"centrifugo": str(why)}


def _show(found: Found, cores: int) -> None:
    print()
    for line in table.lines(found["rows"], found["centrifugo"]):
        print(line)
    for workers, row in found["crowded"].items():
        each = 1e6 / row["per_cpu_second"]
        print(f"{workers} workers on {row['cores']} of {cores} cores: {each:.2f} µs a delivery")
    for why in found["left_out"]:
        print(f"not measured: {why}")
    print("\n" + report.terminal(found["figures"]))


def _told(places: Split) -> str:
    parts = {"stores": places.stores, "workers": places.workers, "load": places.load}
    told = ", ".join(f"{name} on {_listed(cores)}" for name, cores in parts.items())
    return f"{told}. {places.note}".rstrip()


def _counted(cores: Sequence[Sequence[int]]) -> str:
    threads = sum(map(len, cores))
    return f"{len(cores)} cores" + f" of {threads} threads" * (threads > len(cores))


def _listed(cores: tuple[int, ...]) -> str:
    return ",".join(map(str, dict.fromkeys(cores)))


def _teller(began: float) -> Any:
    return lambda text: _tell(f"{int(time.monotonic() - began) // 60}:"
                              f"{int(time.monotonic() - began) % 60:02} {text}")  # fmt: skip


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--install", action="store_true", help="install what is needed, and end")
    parser.add_argument("--cores", type=int, default=0, help="play so many; nothing is kept")
    parser.add_argument("--share", type=float, default=1.0, help="of each window; below 1 not kept")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except load.Invalid as why:
        sys.exit(f"No result counts: {why}")
    except StartFailed as why:
        sys.exit(str(why))
