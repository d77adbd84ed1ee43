"""How fast someone may go: the generic cell rate algorithm (ITU-T I.371), one number per key."""

import time
from collections.abc import Hashable

FORGET_ABOVE = 50_000  # keys; those whose time has passed go first


class CellRate:
    """At most `burst` at once, and `rate` a second in the long run, for each key."""

    def __init__(self, rate: float, burst: int) -> None:
        self._interval = 1 / rate
        self._tolerance = (burst - 1) * self._interval
        self._due: dict[Hashable, float] = {}

    def wait(self, key: Hashable) -> float:
        """0 if it may go now, and then it counts; else for how many seconds it may not."""
        seconds, due = self.step(self._due.get(key, 0.0))
        if not seconds:
            self._keep(key, due)
        return seconds

    def left(self, key: Hashable) -> float:
        """`wait`, without counting."""
        return self.step(self._due.get(key, 0.0))[0]

    def step(self, due: float) -> tuple[float, float]:
        """`wait` for one who keeps the number, 0 at first; and the number from here on."""
        now = time.monotonic()
        due = max(due, now)
        if due - now > self._tolerance:
            return due - now - self._tolerance, due
        return 0.0, due + self._interval

    def later(self, due: float, times: int, longest: float) -> float:
        """The number of `step` after so many more at once, whether they may go or not. The wait
        that comes of it is at most so many seconds."""
        now = time.monotonic()
        return min(max(due, now) + times * self._interval, now + self._tolerance + longest)

    def count(self, key: Hashable, times: int = 1) -> None:
        """It went: so much at once, or somewhere else, whether it might or not."""
        now = time.monotonic()
        self._keep(key, max(self._due.get(key, now), now) + times * self._interval)

    def _keep(self, key: Hashable, due: float) -> None:
        self._due[key] = due
        if len(self._due) > FORGET_ABOVE:
            now = time.monotonic()
            self._due = {key: due for key, due in self._due.items() if due > now}
