"""The break after too many wrong passwords, as django-axes counts them: by address and e-mail."""

from datetime import datetime, timedelta

from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.db.models import Max
from django.http import HttpRequest
from django.utils import timezone

from accounts.services import attempted_email


def until(request: HttpRequest) -> datetime:
    """When whoever sends this request may try again."""
    email = attempted_email(request, getattr(request, "axes_credentials", None))
    address = getattr(request, "axes_ip_address", None)
    tries = AccessAttempt.objects.filter(username=email, ip_address=address)
    last = tries.aggregate(last=Max("attempt_time"))["last"] or timezone.now()
    return last + (get_cool_off(request) or timedelta())


def seconds_left(request: HttpRequest) -> int:
    return max(1, round((until(request) - timezone.now()).total_seconds()))
