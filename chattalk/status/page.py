"""What the status page of the admin shows: what is wrong and what to do, and the last hour."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chattalk import disk
from chattalk.status import hour, rules
from chattalk.status.bars import Bar, bars
from chattalk.status.hour import Hour
from chattalk.status.rules import Facts
from chattalk.status.stores import health
from core.postgresql.replica import replica
from messaging.followers import FOLLOWERS
from messaging.followers.lag import lag

RELAY_LAG = "chattalk_relay_lag_lines"
OVER = 2.0  # of the highest number: as high is drawn what no bucket bounds

Value = float | None  # nothing was seen in that minute
Look = Callable[[Hour, list[datetime]], Value]  # at one minute


class Series(NamedTuple):
    slug: str
    title: Any
    look: Look
    shown: Callable[[float], str]
    about: Any = ""


class Chart(NamedTuple):
    series: Series
    values: list[Value]
    bars: list[Bar]
    last: str
    most: str


def facts(now: datetime) -> Facts:
    servers = health()
    knows = next(server for server in servers if server.name == "Redis").answers
    lags = [lag(follower.name, knows) for follower in FOLLOWERS]
    return Facts(hour.read(now), servers, lags, disk.free(), knows, replica.state)


def context() -> dict[str, Any]:
    found = facts(timezone.now())
    charts = [_chart(series, found.hour) for series in _series(found.hour)]
    return {
        "title": _("Status"),
        "findings": rules.judge(found),
        "servers": found.servers,
        "replica": found.replica,
        "charts": charts,
        "first": found.hour.times[0],
        "last": found.hour.times[-1],
        "minutes": _table(found.hour, charts),
    }


def _series(found: Hour) -> tuple[Series, ...]:
    """That of the relay where there is Kafka; a relay elsewhere that is behind is told as well."""
    has_relay = settings.KAFKA or found.values(RELAY_LAG, found.times)
    return (*SERIES, RELAYED) if has_relay else SERIES


def _chart(series: Series, found: Hour) -> Chart:
    values = [series.look(found, [at]) for at in found.times]
    known = [value for value in values if value is not None]
    finite = [value for value in known if value != float("inf")]
    highest = max(finite, default=0.0)
    drawn = [min(value or 0.0, OVER * highest or 1.0) for value in values]
    last = next((value for value in reversed(values) if value is not None), None)
    return Chart(
        series, values, bars(drawn), _said(series, last), _said(series, max(known, default=None))
    )


def _said(series: Series, value: Value) -> str:
    return "–" if value is None else series.shown(value)


def _table(found: Hour, charts: list[Chart]) -> list[tuple[datetime, list[str]]]:
    """The newest minute first."""
    rows = [
        (at, [_said(chart.series, chart.values[n]) for chart in charts])
        for n, at in enumerate(found.times)
    ]
    return rows[::-1]


def _sum(metric: str, key: str = "", share: float = 1.0) -> Look:
    """Nothing was written of a minute: nobody knows. Else what is not there was nothing."""

    def look(found: Hour, times: list[datetime]) -> Value:
        return found.sum(metric, times, key) * share if found.has(times[0]) else None

    return look


def _quantile(metric: str, share: float) -> Look:
    return lambda found, times: found.quantile(metric, share, times)


def _unwell(found: Hour, times: list[datetime]) -> Value:
    """Stores that were degraded or down at the end of the minute, for any worker."""
    if not found.has(times[0]):
        return None
    states = found.values("chattalk_store_state", times)
    return len({key.split("/")[0] for key, one in states.items() if one and "/ok" not in key})


def _whole(value: float) -> str:
    return str(intcomma(round(value)))


def _rate(value: float) -> str:
    return str(intcomma(round(value, 1 if value < 100 else None)))


SERIES = (
    Series("said", _("Messages a second"), _sum("chattalk_messages_total", share=1 / 60), _rate),
    Series(
        "half",
        _("Acknowledged within (half)"),
        _quantile("chattalk_acknowledgement_seconds", 0.5),
        rules.shown,
    ),
    Series(
        "acknowledged",
        _("Acknowledged within (99 %)"),
        _quantile("chattalk_acknowledgement_seconds", 0.99),
        rules.shown,
    ),
    Series(
        "shown",
        _("Shown within (99 %)"),
        _quantile("chattalk_fanout_seconds", 0.99),
        rules.shown,
    ),
    Series("sockets", _("Open sockets"), _sum("chattalk_sockets"), _whole),
    Series("refused", _("Refusals a minute"), _sum("chattalk_refusals_total"), _whole),
    Series("closed", _("Sockets that ended, a minute"), _sum("chattalk_closes_total"), _whole),
    Series("stores", _("Stores that were not well"), _unwell, _whole),
    Series("behind", _("Lines not followed yet"), _sum("chattalk_follower_lag_lines"), _whole),
)
RELAYED = Series("relayed", _("Lines not in Kafka yet"), _sum(RELAY_LAG), _whole)
