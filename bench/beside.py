"""This checkout beside one of its own commits, in one run (`make bench-beside ARGS=4bf8c17`).

Both run as `manage.py up` does, on the same stores, each on a database of its own. They run at the
same time and are measured in turns of a few seconds, so that a machine whose speed drifts favours
nobody; which of them begins changes with each repeat. Memory is measured when they have just begun.
What counts is the median of the ratios of the repeats. Kept in bench/results/beside.json.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from statistics import median, quantiles

from bench import kept, load, report
from bench.checkouts import beside
from bench.figures import Figure
from bench.machine import environment
from bench.scenarios import memory, talk
from bench.servers import running
from bench.setups import Setup

NOISE = 0.03  # of a ratio; what is within it counts as equal
REPEATS, SECONDS = 20, 2.0
QUIET_TIMES = 3  # as long as others: few messages are said there, and a hundredth of them counts

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


def main() -> int:
    options = _options()
    began = time.monotonic()
    load.build()
    with running() as servers, beside(servers, options.commit) as sides:
        those = [Setup(side.name, side, servers) for side in sides]
        memories = {one.name: {MEMORY[1]: memory.per_connection(one) / 1024} for one in those}
        turns = [_turn(those, number, options.seconds) for number in range(options.repeats)]
    figures = [
        *compared(turns, options.commit, TALK_KINDS),
        *compared([memories], options.commit, [MEMORY]),
    ]
    minutes = (time.monotonic() - began) / 60
    found = {"turns": turns, "figures": [one.as_dict() for one in figures]}
    versions = {"this": environment()["commit"], "other": options.commit}
    kept.keep("beside", found, size="beside", name="beside",
              absent={}, versions=versions, minutes=minutes)  # fmt: skip
    print("\n" + report.terminal(figures))
    return 0 if all(one.met for one in figures) else 1


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
