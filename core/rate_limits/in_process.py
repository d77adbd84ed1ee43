"""How fast someone may go: the generic cell rate algorithm (ITU-T I.371), one number per key."""

import time
from collections.abc import Callable, Hashable, Iterable
from typing import Any

from django.conf import settings

from core.rate_limits.rules import IN_PROCESS

FORGET_ABOVE = 50_000  # keys; those whose time has passed go first
UNTOLD_MAX = 50_000  # keys of which something is not told yet
TELL_PARTS = 8  # of the burst: who has done as much as one of them is told of

Tell = Callable[[list[tuple[Any, int]]], None]  # keys, and how much for each


class CellRate:
    """At most `burst` at once, and `rate` a second in the long run, for each key."""

    def __init__(self, rate: float, burst: int) -> None:
        self._interval = 1 / rate
        self._tolerance = (burst - 1) * self._interval
        self._due: dict[Hashable, float] = {}

    def wait(self, key: Hashable) -> float:
        """0 if it may go now, and then it counts; else for how many seconds it may not."""
        seconds = self.left(key)
        if not seconds:
            self.count(key)
        return seconds

    def left(self, key: Hashable) -> float:
        """`wait`, without counting."""
        return self.until(self._due.get(key, 0.0), time.monotonic())

    def count(self, key: Hashable, times: int = 1) -> None:
        """It went: so much at once, or somewhere else, whether it might or not."""
        now = time.monotonic()
        self._due[key] = self.after(self._due.get(key, 0.0), times, now)
        self._forget(now)

    def count_each(self, keys: Iterable[Hashable]) -> None:
        """`count`, once for each."""
        known, now = self._due, time.monotonic()
        for key in keys:
            known[key] = self.after(known.get(key, 0.0), 1, now)
        self._forget(now)

    def until(self, due: float, now: float) -> float:
        """`left` for a key's number, which is 0 at first."""
        ahead = due - now
        return ahead - self._tolerance if ahead > self._tolerance else 0.0

    def after(self, due: float, times: int, now: float) -> float:
        """A key's number after so many more."""
        return (due if due > now else now) + times * self._interval

    def latest(self, longest: float) -> float:
        """The number of a key that has to wait so many seconds."""
        return time.monotonic() + self._tolerance + longest

    def _forget(self, now: float) -> None:
        if len(self._due) > FORGET_ABOVE:
            self._due = {key: due for key, due in self._due.items() if due > now}


def cell_rate(name: str) -> CellRate:
    """By its rule."""
    return CellRate(*_flow(name))


def _flow(name: str) -> tuple[float, int]:
    rate, burst = IN_PROCESS[name]
    return getattr(settings, rate), getattr(settings, burst)


class Pace:
    """How fast one connection goes; it goes with it, and nobody has to forget it."""

    __slots__ = ("_due", "_rate")  # there are thousands

    def __init__(self, rate: CellRate) -> None:
        self._rate = rate
        self._due = 0.0

    def wait(self) -> float:
        """0 if the next may go now, and then it counts; else how many seconds it has to wait."""
        now = time.monotonic()
        seconds = self._rate.until(self._due, now)
        if not seconds:
            self._due = self._rate.after(self._due, 1, now)
        return seconds

    def left(self) -> float:
        """`wait`, without counting."""
        return self._rate.until(self._due, time.monotonic())

    def count(self, times: int, longest: float) -> None:
        """So many more went, whether they might or not. The wait that comes of it is at most
        `longest` seconds."""
        due = self._rate.after(self._due, times, time.monotonic())
        self._due = min(due, self._rate.latest(longest))


class ToldRate(CellRate):
    """One that is kept in each process, where the others are told of who does much. So it costs
    nothing for most, and who goes from process to process gets no more than what is on its way."""

    def __init__(self, name: str, tell: Tell) -> None:
        rate, burst = _flow(name)
        super().__init__(rate, burst)
        self._part = max(1, burst // TELL_PARTS)
        self._tell = tell
        self._untold: dict[Hashable, int] = {}

    def count(self, key: Hashable, times: int = 1) -> None:
        """It went here."""
        super().count(key, times)
        times += self._untold.pop(key, 0)
        if times >= self._part:
            self._tell([(key, times)])
            return
        if len(self._untold) >= UNTOLD_MAX:  # little of each; it is not worth more
            self._untold.clear()
        self._untold[key] = times

    def heard(self, counts: list[tuple[Hashable, int]]) -> None:
        """What other processes told."""
        for key, times in counts:
            super().count(key, times)
