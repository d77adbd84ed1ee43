"""The first of AUTHENTICATION_BACKENDS: whichever door asks for a password, it asks here first."""

from typing import Any

from django.http import HttpRequest

from accounts import passwords
from accounts.lockout import attempted_email
from core import client_ip, rate_limits


class PacedBackend:
    """Lets nobody in, and keeps out who tries too often. Raises ValidationError(rate_limited)."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        if request is not None:  # a command has none
            address = client_ip.of(request)
            rate_limits.hit("sign_in", address)
            passwords.asked_by.set(f"{address} {attempted_email(request, credentials)}")
