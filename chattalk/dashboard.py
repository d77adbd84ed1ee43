"""The admin's first page: how things are, at a glance. What is not known is said to be."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Count, F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from chattalk import disk
from chattalk.status import page, rules
from chattalk.status.bars import bars
from messaging.followers import counters
from presence import services as presence
from rooms.models import Room

MINUTES = 60


class Site(admin.AdminSite):
    site_header = site_title = "ChatTalk"
    index_title = _("Dashboard")
    index_template = "admin/dashboard.html"

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        return super().index(request, facts() | (extra_context or {}))

    def get_urls(self) -> list[Any]:
        status = path("status/", self.admin_view(self.status), name="status")
        return [status, *super().get_urls()]

    def status(self, request: HttpRequest) -> TemplateResponse:
        told = self.each_context(request) | page.context()
        return TemplateResponse(request, "admin/status.html", told)

    def password_change(  # type: ignore[override]  # it leads elsewhere
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of everybody: it counts wrong ones."""
        return redirect("accounts:password")


def facts() -> dict[str, Any]:
    now = timezone.now()
    found = page.facts(now)
    minutes = per_minute(now)
    free, has_redis = found.free, found.knows_who_runs
    return {
        "findings": rules.judge(found),
        "health": found.servers,
        "replica": found.replica,
        "disk": {"free": free, "low": free < disk.LOW} if free is not None else None,
        "online": presence.online() if has_redis else None,
        "rooms": _rooms(),
        "people": _people(),
        "knows_who_runs": has_redis,
        "followers": found.lags,
        "minutes": minutes,
        "bars": bars([count for _at, count in minutes]),
        "most": max(count for _at, count in minutes),
    }


# --- messages a minute --------------------------------------------------------------------------


def per_minute(now: datetime) -> list[tuple[datetime, int]]:
    """The last hour, oldest first, with the minute that runs."""
    last = counters.minute_of(now)
    wanted = [last - counters.MINUTE * ago for ago in reversed(range(MINUTES))]
    counted = counters.by_minute(wanted[0])
    return [(at, counted.get(at, 0)) for at in wanted]


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
