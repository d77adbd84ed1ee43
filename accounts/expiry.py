"""What is left of people who never come back: sessions, devices, and who tried what password."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from axes.helpers import get_cool_off
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Device

BATCH_MAX = 1_000  # rows in one transaction
ATTEMPTS_KEPT = timedelta(days=1)  # longer than any break after wrong passwords
LOG_KEPT_DAYS = 90.0  # who signed in from where


def over(log_days: float = LOG_KEPT_DAYS) -> dict[str, QuerySet[Any]]:
    """What counts for nothing any more, by name."""
    now = timezone.now()
    tried: datetime = now - max(ATTEMPTS_KEPT, get_cool_off() or ATTEMPTS_KEPT)
    logged = now - timedelta(days=log_days)
    return {
        "expired sessions": Session.objects.filter(expire_date__lt=now),
        "expired devices": Device.objects.filter(expires_at__lt=now),
        "attempts to sign in": AccessAttempt.objects.filter(attempt_time__lt=tried),
        "lines on sign-ins": AccessLog.objects.filter(attempt_time__lt=logged),
        "lines on failed sign-ins": AccessFailureLog.objects.filter(attempt_time__lt=logged),
    }


def clear(rows: QuerySet[Any]) -> Iterator[int]:
    """Delete them, some at a time; how many went each time. The table is gone through once."""
    rows, last = rows.order_by("pk"), None
    while True:
        page = rows if last is None else rows.filter(pk__gt=last)
        keys = list(page.values_list("pk", flat=True)[:BATCH_MAX])
        if not keys:
            return
        gone, _by_model = rows.order_by().filter(pk__in=keys).delete()
        yield gone
        last = keys[-1]
