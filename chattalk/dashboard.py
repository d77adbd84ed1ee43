"""The admin's first page: how things are, at a glance. What is not known is said to be."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import admin
from django.db.models import Count, F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from chattalk import disk
from chattalk.embedded import probe
from chattalk.server.health import causes
from messaging.followers import FOLLOWERS, counters
from messaging.followers.lag import lag
from presence import services as presence
from rooms.models import Room

PING_SECONDS = 1.0
MINUTES = 60


class Site(admin.AdminSite):
    site_header = site_title = "ChatTalk"
    index_title = _("Dashboard")
    index_template = "admin/dashboard.html"

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        return super().index(request, facts() | (extra_context or {}))

    def password_change(  # type: ignore[override]  # it leads elsewhere
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of everybody: it counts wrong ones."""
        return redirect("accounts:password")


def facts() -> dict[str, Any]:
    servers = health()
    redis = next(server for server in servers if server.name == "Redis")
    minutes = per_minute(timezone.now())
    free = disk.free()
    return {
        "health": servers,
        "disk": {"free": free, "low": free < disk.LOW} if free is not None else None,
        "online": presence.online() if redis.answers else None,
        "rooms": _rooms(),
        "people": _people(),
        "knows_who_runs": redis.answers,
        "followers": [lag(follower.name, redis.answers) for follower in FOLLOWERS],
        "minutes": minutes,
        "bars": bars([count for _at, count in minutes]),
        "most": max(count for _at, count in minutes),
    }


# --- the servers --------------------------------------------------------------------------------


class Server(NamedTuple):
    name: str
    answers: bool
    milliseconds: int
    why: Any = ""  # it does not answer, or stores nothing; as far as that is known


WHY = {
    "disk full": _("its disk is full"),
    "memory full": _("its memory is full"),
    "read only": _("it only reads"),
}


def health() -> list[Server]:
    """Each is asked once, side by side; who has not answered after PING_SECONDS does not answer."""
    asked: dict[str, Callable[[], str]] = {
        "PostgreSQL": lambda: probe.postgres(settings.DATABASE_URL, PING_SECONDS),
        "Redis": lambda: probe.redis(settings.REDIS_URL, PING_SECONDS),
        "MongoDB": lambda: probe.mongodb(settings.MONGODB_URL, PING_SECONDS),
    }
    threads = ThreadPoolExecutor(len(asked), thread_name_prefix="health")
    pings = {name: threads.submit(_timed, ping) for name, ping in asked.items()}
    wait(pings.values(), PING_SECONDS)
    threads.shutdown(wait=False)
    found = {name: _answer(ping) for name, ping in pings.items()}
    why = causes(
        {name.lower(): "ok" if answers else "down" for name, (answers, _ms) in found.items()}
    )
    return [
        Server(name, *answer, WHY.get(why.get(name.lower(), ""), ""))
        for name, answer in found.items()
    ]


def _timed(ping: Callable[[], str]) -> tuple[bool, int]:
    began = time.monotonic()
    error = ping()
    return not error, round((time.monotonic() - began) * 1000)


def _answer(ping: Future[tuple[bool, int]]) -> tuple[bool, int]:
    if not ping.done() or ping.exception() is not None:
        return False, 0
    return ping.result()


# --- messages a minute --------------------------------------------------------------------------


def per_minute(now: datetime) -> list[tuple[datetime, int]]:
    """The last hour, oldest first, with the minute that runs."""
    last = counters.minute_of(now)
    wanted = [last - counters.MINUTE * ago for ago in reversed(range(MINUTES))]
    counted = counters.by_minute(wanted[0])
    return [(at, counted.get(at, 0)) for at in wanted]


class Bar(NamedTuple):
    """In the units of the chart, which is MINUTES × 10 wide and 100 high."""

    x: int
    y: float
    height: float


def bars(counts: list[int]) -> list[Bar]:
    most = max(*counts, 1)
    heights = [round(count / most * 100, 1) for count in counts]
    return [Bar(n * 10, round(100 - height, 1), height) for n, height in enumerate(heights)]


# --- rooms and people ---------------------------------------------------------------------------


def _rooms() -> dict[str, int]:
    is_open = Q(closed_at=None)
    return Room.objects.aggregate(
        open=Count("pk", filter=is_open),
        full=Count("pk", filter=is_open & Q(personnel__gte=F("capacity"))),
        closed=Count("pk", filter=~is_open),
    )


def _people() -> dict[str, int]:
    now = timezone.now()
    return User.objects.aggregate(
        active=Count("pk", filter=Q(is_active=True)),
        today=Count("pk", filter=Q(date_joined__gte=now - timedelta(days=1))),
        week=Count("pk", filter=Q(date_joined__gte=now - timedelta(days=7))),
    )
