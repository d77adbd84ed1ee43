"""What was found, a line for each number of workers; and what of it is a goal."""

from collections.abc import Iterator, Sequence
from typing import Any

from bench.cores.split import GOAL_CORES, GOAL_WORKERS
from bench.figures import Figure
from bench.load import BUSY_MAX
from bench.report import number
from bench.scenarios.pauses import PAUSE_MAX, note

Row = dict[str, Any]
WHAT = "40 hot rooms of 100"
THEIRS = "Centrifugo + Redis"


def lines(rows: Sequence[Row], theirs: dict[int, Row]) -> Iterator[str]:
    """For a terminal."""
    cells = [HEADINGS, *(list(_cells(row, rows[0], theirs.get(row["workers"]))) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield "  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True))


HEADINGS = ["workers", "messages/s", "of 1", "of 1, per worker", "deliveries/CPU-s", "of 1",
            "a read", "a commit", "p50 ms", "p99 ms", "workers' CPU", "PostgreSQL", "Valkey",
            "MongoDB wire", "load", "back/s", "back/CPU-s", "Centrifugo", "ours to it"]  # fmt: skip


def _cells(row: Row, first: Row, theirs: Row | None) -> Iterator[str]:
    """`of 1` is the efficiency: beside one worker, all cores counted or each CPU second."""
    gain = row["messages_per_second"] / first["messages_per_second"]
    yield f"{row['workers']}{' on ' + str(row['cores']) if row['cores'] < row['workers'] else ''}"
    yield number(row["messages_per_second"])
    yield f"{gain:.2f}×"
    yield f"{100 * gain / row['workers']:.0f} %"
    yield number(row["per_cpu_second"])
    yield f"{100 * row['per_cpu_second'] / first['per_cpu_second']:.0f} %"
    yield f"{row['deliveries_per_read']:.1f}"
    yield f"{row['messages_per_commit']:.1f}"
    yield from (f"{row[name]:.1f}" for name in ("p50_ms", "p99_ms"))
    cpu = row["cpu"]
    yield f"{cpu['workers'][0]:.2f}–{cpu['workers'][-1]:.2f}"
    yield from (f"{cpu[name]:.2f}" for name in ("PostgreSQL", "Valkey", "MongoDB wire"))
    yield f"{row['busy']:.2f}{'!' * (row['busy'] > BUSY_MAX)}"
    yield number(row["reconnects_per_second"])
    yield number(row["reconnects_per_cpu_second"])
    yield number(theirs["messages_per_second"]) if theirs else ""
    yield f"{row['messages_per_second'] / theirs['messages_per_second']:.2f}×" if theirs else ""


def figures(found: Row, cores: int) -> Iterator[Figure]:
    """Where the generators were the bottleneck there is no figure."""
    by_count = {row["workers"]: row for row in found["rows"] if row["busy"] <= BUSY_MAX}
    if cores >= GOAL_CORES and {1, GOAL_WORKERS} <= by_count.keys():
        yield from _scaling(by_count, found["centrifugo"], cores)
    if {8, 32} <= found["crowded"].keys():
        yield _crowding(found["crowded"], cores)
    if found["pauses"]:
        yield _pausing(found["pauses"], cores)
    if found["rows"]:
        yield _coming_back(found["rows"][0], found["rows"][-1], cores)


def _crowding(crowded: dict[int, Row], cores: int) -> Figure:
    cost = {workers: 1e6 / row["per_cpu_second"] for workers, row in crowded.items()}
    what = f"{WHAT}, 32 workers on {crowded[32]['cores']} of {cores} cores: CPU of a delivery"
    return Figure("S3", what, cost[32], "µs", "8 workers", cost[8], at_most=1.3)


def _pausing(pauses: Row, cores: int) -> Figure:
    pinged = pauses["pinged_ms"]
    what = f"{pauses['sockets']:,} sockets, 1 worker on a core of {cores}, talk at half load"
    told = note(pauses["rate"], pinged, pauses["collections"])
    return Figure("S4", f"{what}: longest pause", pinged["max"], "ms", at_most=PAUSE_MAX, note=told)


def _coming_back(first: Row, last: Row, cores: int) -> Figure:
    each = [number(row["reconnects_per_cpu_second"]) for row in (last, first)]
    return Figure(
        "", f"whole reconnects, {last['workers']} workers on {cores} cores",
        last["reconnects_per_second"], "/s", "1 worker", first["reconnects_per_second"],
        note=f"{each[0]} for each CPU second, with 1 worker {each[1]}",
    )  # fmt: skip


def _scaling(by_count: dict[int, Row], theirs: dict[int, Row], cores: int) -> Iterator[Figure]:
    many, one = (by_count[n]["messages_per_second"] for n in (GOAL_WORKERS, 1))
    what = f"{WHAT}, {GOAL_WORKERS} workers on {GOAL_WORKERS} of {cores} cores: messages"
    yield Figure("S2", what, many, "/s", "1 worker", one, at_least=7.5)
    if peer := theirs.get(GOAL_WORKERS):
        yield Figure(
            "S2", what, many, "/s", f"{THEIRS}, {GOAL_WORKERS} threads",
            peer["messages_per_second"], at_least=1.5, note="; ".join(peer["faults"]),
        )  # fmt: skip
