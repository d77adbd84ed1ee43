"""The break after too many wrong passwords, as django-axes counts them: by address and e-mail."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.core.exceptions import ValidationError
from django.db.models import Max
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import normal_email
from core import client_ip


def attempted_email(request: HttpRequest, credentials: Mapping[str, str] | None = None) -> str:
    """The e-mail that a failed sign-in counts against; other capitals are not five more tries."""
    given = credentials or {}
    return normal_email(given.get("username") or given.get("email") or "")


def until(request: HttpRequest) -> datetime:
    """When whoever sends this request may try again."""
    email = attempted_email(request, getattr(request, "axes_credentials", None))
    address = getattr(request, "axes_ip_address", None)
    tries = AccessAttempt.objects.filter(username=email, ip_address=address)
    last = tries.aggregate(last=Max("attempt_time"))["last"] or timezone.now()
    return last + (get_cool_off(request) or timedelta())


def seconds_left(request: HttpRequest) -> int:
    return max(1, round((until(request) - timezone.now()).total_seconds()))


def refusal(request: HttpRequest) -> ValidationError | None:
    """`locked_out`, if a break keeps this request out. Its own door says so, in place of the page
    that django-axes would show."""
    if not getattr(request, "axes_locked_out", False):
        return None
    request.axes_locked_out = False  # type: ignore[attr-defined]
    text = _("Too many wrong passwords. Try again later.")
    return ValidationError(text, code="locked_out", params={"retry_after": seconds_left(request)})


def forget(request: HttpRequest, email: str) -> None:
    """Earlier slips count no more: who is signed in already has shown the right password."""
    AccessAttempt.objects.filter(username=email, ip_address=client_ip.of_attempt(request)).delete()
