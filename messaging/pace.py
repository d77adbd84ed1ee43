"""How fast someone may go: the generic cell rate algorithm (ITU-T I.371), one number per key."""

import time
from collections.abc import Hashable

FORGET_ABOVE = 50_000  # keys; those whose time has passed go first


class Pace:
    """At most `burst` at once, and `rate` a second in the long run, for each key."""

    def __init__(self, rate: float, burst: int) -> None:
        self._interval = 1 / rate
        self._tolerance = (burst - 1) * self._interval
        self._due: dict[Hashable, float] = {}

    def wait(self, key: Hashable) -> float:
        """0 if it may go now, and then it counts; else for how many seconds it may not."""
        now = time.monotonic()
        due = max(self._due.get(key, now), now)
        if due - now > self._tolerance:
            return due - now - self._tolerance
        self._count(key, due, now)
        return 0.0

    def count(self, key: Hashable) -> None:
        """It went somewhere else: by another process."""
        now = time.monotonic()
        self._count(key, max(self._due.get(key, now), now), now)

    def _count(self, key: Hashable, due: float, now: float) -> None:
        self._due[key] = due + self._interval
        if len(self._due) > FORGET_ABOVE:
            self._due = {key: due for key, due in self._due.items() if due > now}
