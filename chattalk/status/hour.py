"""The last hour out of the store of minutes: by minute, and what is asked of the last few."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import accumulate

from chattalk.models import MinuteFigure
from chattalk.status.minutes import MINUTE, minute_of

MINUTES = 60
LATELY = 5  # minutes: by them is judged what is wrong now
WRITTEN_WITHIN = timedelta(seconds=10)  # after its end a minute is there

Values = dict[str, float]  # by the values of the labels, or the bucket; "" where there are none


class Hour:
    """The last MINUTES that are over, oldest first; of some nothing may be there."""

    def __init__(self, now: datetime, rows: Iterable[tuple[datetime, str, float]]) -> None:
        last = minute_of(now - WRITTEN_WITHIN) - MINUTE
        self.times = [last - MINUTE * ago for ago in reversed(range(MINUTES))]
        self.lately = self.times[-LATELY:]
        self._found: dict[tuple[datetime, str], Values] = {}
        for at, name, value in rows:
            metric, _, key = name.partition("/")
            self._found.setdefault((at, metric), {})[key] = value
        self._written = {at for at, _metric in self._found}

    def has(self, at: datetime) -> bool:
        """Whether anything was written of that minute."""
        return at in self._written

    def values(self, metric: str, times: Iterable[datetime]) -> Values:
        """All these minutes together."""
        together: Values = {}
        for at in times:
            for key, value in self._found.get((at, metric), {}).items():
                together[key] = together.get(key, 0.0) + value
        return together

    def sum(self, metric: str, times: Iterable[datetime], key: str = "") -> float:
        """All that begins with `key`."""
        found = self.values(metric, times)
        return sum(value for one, value in found.items() if one.startswith(key))

    def quantile(self, metric: str, share: float, times: Iterable[datetime]) -> float | None:
        """The upper bound of the bucket where it lies; None where nothing was seen."""
        found = self.values(metric, times)
        found.pop("sum", None)
        bounds = sorted(found, key=float)
        passed = list(accumulate(found[bound] for bound in bounds))
        if not passed or not passed[-1]:
            return None
        bound = next(n for n, many in enumerate(passed) if many >= share * passed[-1])
        return float(bounds[bound])


def read(now: datetime) -> Hour:
    """Uses index: minute_figure_once."""
    since = minute_of(now) - (MINUTES + 1) * MINUTE
    rows = MinuteFigure.objects.filter(minute__gte=since)
    return Hour(now, rows.values_list("minute", "name", "value"))
