"""What a process counts of itself: plain ints, for it is done at each message and each socket.

    MESSAGES = metrics.counter("chattalk_messages_total", "Messages stored.")
    MESSAGES.value += len(events)

    REFUSALS = metrics.labelled("chattalk_refusals_total", "What was not done.", "code")
    REFUSALS.add("room_full")

    ANSWERS = metrics.histogram("chattalk_acknowledgement_seconds", "From … to …")
    ANSWERS.observe(0.012)

    metrics.read("chattalk_sockets", "Sockets open.", sockets_by_door, labels=("door",))

Each is made once, when its module is imported, and stands in docs/monitoring.md. What is `read` is
asked when somebody looks: by a thread other than the event loop's, which goes on meanwhile. What
asks a store is asked `seldom`. Of a process that serves nothing it may be None.

Threads may add, too, and take no lock: one addition among very many may be lost by that.
"""

import logging
import re
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, TypeVar, cast

from django.db import OperationalError

from core.text import first_line

logger = logging.getLogger(__name__)

Key = tuple[str, ...]  # the values of the labels, in their order
Over = Literal["sum", "max"]  # how the workers' values make the site's
Found = float | Mapping[str, float] | Mapping[Key, float] | None

NAME = re.compile(r"chattalk(_[a-z]+)+")
UNITS = ("_seconds", "_bytes", "_messages")  # of histograms
KEYS_MAX = 200  # of one metric; those that come later are one
OTHER = "other"
SELDOM_SECONDS = 15.0  # as often as Prometheus looks
LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)  # seconds


class Metric:
    kind: Literal["counter", "gauge", "histogram"] = "counter"

    def __init__(self, name: str, about: str, labels: Key = (), over: Over = "sum") -> None:
        self.name, self.about, self.labels, self.over = name, about, labels, over

    def values(self) -> dict[Key, float]:
        """What there is by now, by the values of the labels."""
        raise NotImplementedError


class Counter(Metric):
    """It is counted by `value += 1`: no call."""

    value: float = 0

    def values(self) -> dict[Key, float]:
        return {(): self.value}


class Labelled(Metric):
    def __init__(self, name: str, about: str, labels: Key) -> None:
        super().__init__(name, about, labels)
        self._counts: dict[Key, float] = {}

    def add(self, *key: str, many: float = 1) -> None:
        """`key`: a value for each label, of those that our code knows; never what people send."""
        if key not in self._counts and len(self._counts) >= KEYS_MAX:
            key = (OTHER,) * len(self.labels)
        self._counts[key] = self._counts.get(key, 0) + many

    def values(self) -> dict[Key, float]:
        return self._counts.copy()


class Histogram(Metric):
    """How many were at most as large as each of `bounds`, one more for all above, and their sum."""

    kind = "histogram"

    def __init__(self, name: str, about: str, bounds: tuple[float, ...]) -> None:
        super().__init__(name, about)
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def observe_each(self, values: Iterable[float]) -> None:
        for value in values:
            self.counts[bisect_left(self.bounds, value)] += 1
            self.sum += value

    def values(self) -> dict[Key, float]:
        """By the upper bound of each bucket, and not added up."""
        named = [*map(str, self.bounds), "+Inf"]
        return {(bound,): count for bound, count in zip(named, self.counts, strict=True)}


class ReadMetric(Metric):
    """What somebody else keeps: read when it is asked for."""

    def __init__(
        self,
        name: str,
        about: str,
        read: Callable[[], Found],
        labels: Key,
        over: Over,
    ) -> None:
        super().__init__(name, about, labels, over)
        self.kind = "counter" if name.endswith("_total") else "gauge"
        self._read = read

    def values(self) -> dict[Key, float]:
        try:
            found = self._read()
        except OperationalError as error:  # the database is away, which others tell
            logger.warning("%s could not be read: %s", self.name, first_line(error))
            return {}
        except Exception:  # the others are shown all the same
            logger.exception("%s could not be read", self.name)
            return {}
        if found is None:
            return {}
        if isinstance(found, Mapping):
            return {(key,) if isinstance(key, str) else key: one for key, one in found.items()}
        return {(): found}


M = TypeVar("M", bound=Metric)
Answer = TypeVar("Answer")

_metrics: dict[str, Metric] = {}


def counter(name: str, about: str) -> Counter:
    return _made(Counter(name, about))


def labelled(name: str, about: str, *labels: str) -> Labelled:
    return _made(Labelled(name, about, labels))


def histogram(name: str, about: str, bounds: tuple[float, ...] = LATENCIES) -> Histogram:
    return _made(Histogram(name, about, bounds))


def read(
    name: str, about: str, read: Callable[[], Found], labels: Key = (), over: Over = "sum"
) -> ReadMetric:
    """A gauge, or where its name ends with `_total` a counter."""
    return _made(ReadMetric(name, about, read, labels, over))


def seldom(ask: Callable[[], Answer], seconds: float = SELDOM_SECONDS) -> Callable[[], Answer]:
    """For what asks a store: one question for all who look within so many seconds."""
    lock, found = threading.Lock(), (float("-inf"), cast(Answer, None))

    def known() -> Answer:
        nonlocal found
        with lock:
            if time.monotonic() >= found[0] + seconds:
                found = time.monotonic(), ask()
            return found[1]

    return known


def everything() -> list[Metric]:
    return [_metrics[name] for name in sorted(_metrics)]


def named(name: str) -> Metric | None:
    return _metrics.get(name)


def _made(metric: M) -> M:
    """Prometheus' conventions: counters end with `_total`, histograms with their unit."""
    name = metric.name
    fits = {"counter": ("_total",), "gauge": ("",), "histogram": UNITS}[metric.kind]
    if not NAME.fullmatch(name) or not name.endswith(fits) or name in _metrics:
        raise ValueError(f"{name} is no name for a new {metric.kind}")
    _metrics[name] = metric
    return metric
