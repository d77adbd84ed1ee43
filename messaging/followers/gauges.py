"""How far followers are behind, told by the worker that runs each: others would ask the same."""

from collections.abc import Callable, Mapping

from core import metrics
from core.postgresql.gauges import asked_seldom
from messaging.followers.lag import Lag, lag

leading: Callable[[], Mapping[str, bool]] = dict  # set by runner.py


def _lags() -> Mapping[str, Lag]:
    return {name: lag(name, with_redis=False) for name, leads in leading().items() if leads}


_NONE: Mapping[str, Lag] = {}
_asked = asked_seldom(_lags, _NONE)

metrics.read(
    "chattalk_follower_leads",
    "1 in the worker that runs a follower; in all workers together it is 1, but for a moment.",
    lambda: {name: float(leads) for name, leads in leading().items()},
    labels=("follower",),
)
metrics.read(
    "chattalk_follower_lag_lines",
    "Lines that a follower has still to come to.",
    lambda: {name: one.lines for name, one in _asked().items()},
    labels=("follower",),
    over="max",
)
metrics.read(
    "chattalk_follower_lag_seconds",
    "For how long the oldest of them has waited.",
    lambda: {name: one.age.total_seconds() for name, one in _asked().items()},
    labels=("follower",),
    over="max",
)
