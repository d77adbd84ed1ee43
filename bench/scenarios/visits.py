"""S13: the original's load, in CPU of a visit, beside the build before rooms had homes; and what
becomes of visits when 1.5 times as many come as the core can serve.

An open loop: they come when it is time. Who is put off is told when to come back (Retry-After), and
does; a visit fails when one of its steps was refused without that, or took longer than 20 s.
"""

from collections.abc import Callable, Collection
from statistics import median
from typing import Any

from bench import cpu
from bench.figures import Figure
from bench.scenarios import original_load
from bench.scenarios.before import BEFORE, QUIET_WITHIN, both
from bench.scenarios.visitor import Seen
from bench.servers import Servers
from bench.setups import Setup

USERS, WARMING, RATE = 60, 10, 4.0  # of each turn; a second, which both can serve
CROWD, TOO_MANY = 200, 1.5
WHAT = "the original's load"

Tell = Callable[[str], None]


class Guests:
    """People who were not there before: who comes a second time costs less."""

    def __init__(self, one: Setup, servers: Servers, many: int) -> None:
        self.one, self._stores = one, {name: [pid] for name, pid in servers.pids.items()}
        self._room = original_load.welcome(one.server, many)
        self._next = 1

    def come(self, many: int, rate: float, tell: Tell) -> tuple[Seen, float]:
        """What they met, and the CPU seconds of a visit."""
        cpu.until_quiet(self.one.pids, within=QUIET_WITHIN)
        seen, used, _ = original_load.visits(
            self.one.server, self._stores, self._room, self._numbers(many), rate, tell
        )
        return seen, sum(used.values()) / many

    def _numbers(self, many: int) -> Collection[int]:
        self._next += many
        return range(self._next - many, self._next)


def run(servers: Servers, *, short: bool, tell: Tell) -> dict[str, Any]:
    """`cpu_seconds`: of a visit, of each build in each turn; `crowds`: what too many met."""
    turns = 2 if short else 4
    with both(servers, tell) as those:
        guests = [Guests(one, servers, WARMING + turns * USERS + CROWD) for one in those]
        taken = _taken(guests, turns, tell)
        ours, theirs = (median(some) for some in taken.values())
        rate = TOO_MANY / ours
        crowds = {}
        for group in guests[:1] if short else guests:
            tell(f"{CROWD} come, {rate:.1f} a second: {group.one.name}")
            crowds[group.one.name] = _met(group.come(CROWD, rate, tell)[0])
    figures = [one.as_dict() for one in _figures(ours, theirs, rate, crowds)]
    return {"cpu_seconds": taken, "rate": rate, "crowds": crowds, "figures": figures}


def _taken(guests: list[Guests], turns: int, tell: Tell) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {group.one.name: [] for group in guests}
    for group in guests:
        group.come(WARMING, RATE, tell)
    for turn in range(turns):
        for group in guests if turn % 2 == 0 else guests[::-1]:
            tell(f"{WHAT}, round {turn + 1}: {group.one.name}")
            seen, seconds = group.come(USERS, RATE, tell)
            assert not seen.failed, seen.failed
            taken[group.one.name].append(seconds)
    return taken


def _met(seen: Seen) -> dict[str, Any]:
    return {
        "done": seen.done,
        "failed": dict(seen.failed),
        "put_off": dict(seen.put_off),
        "p99_s": {kind: sorted(took)[len(took) * 99 // 100] for kind, took in seen.took.items()},
    }


def _figures(
    ours: float, theirs: float, rate: float, crowds: dict[str, dict[str, Any]]
) -> list[Figure]:
    this, *before = crowds.values()
    note = f"{CROWD} come, {rate:.1f} a second; {this['done']} visits done, "
    note += f"{sum(this['put_off'].values())} times one was told when to come back"
    note += f"; {_told(this)}" * bool(this["failed"])
    note += "".join(f"; the build before, at that rate: {_told(one)}" for one in before)
    return [
        Figure("S13", f"{WHAT}: CPU of a visit", 1000 * ours, "ms", BEFORE, 1000 * theirs,
               at_most=0.6),
        Figure("S13", f"{WHAT}, {TOO_MANY} times as many as the core can serve: failed visits",
               CROWD - this["done"], "", at_most=0, note=note),
    ]  # fmt: skip


def _told(crowd: dict[str, Any]) -> str:
    return ", ".join(f"{many} × {why}" for why, many in crowd["failed"].items()) or "none failed"
