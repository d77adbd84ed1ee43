"""Signing in by token, and staying so: one device, one family of refresh tokens.

Rotation with reuse detection, after RFC 9700 section 4.14.2. The device's row is the lock: of many
who show the same refresh token at once, one moves the family on. Who shows a spent one ends the
family, for then two have it; except the same client within GRACE_SECONDS, whose answer may have
been lost on the way: it gets the same successor again.
"""

import hashlib
import logging
from datetime import timedelta
from typing import NamedTuple, cast
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import lockout, token_cache, tokens, validity
from accounts.models import Device, User, normal_email
from accounts.tokens import NotValid

logger = logging.getLogger(__name__)

GRACE_SECONDS = 10
DEVICES_MAX = 50  # per person; the one that was not used for the longest time goes
ACCESS_LIFE = cast(timedelta, settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"])
REFRESH_LIFE = cast(timedelta, settings.SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"])


class Pair(NamedTuple):
    access: str
    refresh: str
    expires_in: int  # seconds, of the access token
    device_id: UUID
    user: User


def sign_in(
    request: HttpRequest, email: str, password: str, access_life: timedelta = ACCESS_LIFE
) -> Pair:
    """A new device.

    Raises ValidationError: invalid_login; locked_out, rate_limited (`retry_after` seconds).
    """
    try:
        validate_email(email := normal_email(email))
    except ValidationError:  # nobody has such an address, and it might hold what can't be looked up
        raise _refusal(request) from None
    user = authenticate(request, username=email, password=password)
    if not isinstance(user, User):
        raise _refusal(request)
    user_logged_in.send(sender=User, request=request, user=user)
    device = Device.objects.create(
        user=user,
        label=request.headers.get("User-Agent", "")[:200],
        password_mark=user.password_mark,
        expires_at=timezone.now() + REFRESH_LIFE,
    )
    _end_oldest(user)
    return _pair(device, access_life)


def _refusal(request: HttpRequest) -> ValidationError:
    if (refusal := lockout.refusal(request)) is not None:
        return refusal
    return ValidationError(_("E-mail or password is not right."), code="invalid_login")


def refresh(request: HttpRequest, token: str) -> Pair:
    """The next pair of the family, for a refresh token that is good. Raises NotValid."""
    device_id, token_id = tokens.read_refresh(token)
    with transaction.atomic():
        rows = Device.objects.select_related("user").select_for_update(of=("self",))
        device = rows.filter(pk=device_id).first()
        if device is None or not validity.device_holds(device):
            raise NotValid
        is_good = _rotate(device, token_id, _client(request))
    if not is_good:
        token_cache.forget(device.user_id)
        logger.warning("person %s: a spent refresh token was shown; device ended", device.user_id)
        raise NotValid
    return _pair(device, ACCESS_LIFE)


def _rotate(device: Device, token_id: UUID, client: str) -> bool:
    """Move the family on; inside a transaction. False, and it has ended, if the token was spent."""
    now = timezone.now()
    if token_id == device.refresh_id:
        device.spent_id, device.spent_by = token_id, client
        device.refresh_id = uuid4()
        device.refreshed_at, device.expires_at = now, now + REFRESH_LIFE
        device.save()
        return True
    in_time = now - device.refreshed_at <= timedelta(seconds=GRACE_SECONDS)
    if token_id == device.spent_id and client == device.spent_by and in_time:
        return True
    device.delete()
    return False


def devices(user_id: int) -> QuerySet[Device]:
    """Where a person is signed in, the last used first."""
    alive = Device.objects.filter(user_id=user_id, expires_at__gt=timezone.now())
    return alive.order_by("-refreshed_at", "pk")


def revoke(user_id: int, device_id: UUID) -> bool:
    """Sign out one device; its sockets close within 2 s. False if there was none."""
    gone, _rows = Device.objects.filter(pk=device_id, user_id=user_id).delete()
    if gone:
        token_cache.forget(user_id)
    return bool(gone)


def revoke_all(user_id: int) -> int:
    """Sign out all devices (not browsers); says how many."""
    gone, _rows = Device.objects.filter(user_id=user_id).delete()
    token_cache.forget(user_id)
    return gone


def _pair(device: Device, access_life: timedelta) -> Pair:
    access = tokens.access(device, access_life)
    seconds = int(access_life.total_seconds())
    return Pair(access, tokens.refresh(device), seconds, device.pk, device.user)


def _client(request: HttpRequest) -> str:
    """The program and the address that ask: as much of a client as can be told."""
    said = f"{request.META.get('REMOTE_ADDR', '')}\0{request.headers.get('User-Agent', '')}"
    return hashlib.sha256(said.encode()).hexdigest()


def _end_oldest(user: User) -> None:
    """By one statement; nothing else goes with a device. Uses index: device by user."""
    mine, now = Device.objects.filter(user=user), timezone.now()
    kept = mine.filter(expires_at__gt=now).order_by("-refreshed_at", "pk")[:DEVICES_MAX]
    mine.exclude(pk__in=kept.values("pk"))._raw_delete(mine.db)
