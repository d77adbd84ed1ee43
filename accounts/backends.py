"""The first of AUTHENTICATION_BACKENDS: whichever door asks for a password, it asks here first."""

from typing import Any

from django.http import HttpRequest

from accounts import addresses, pace


class Paced:
    """Lets nobody in, and keeps out who tries too often. Raises ValidationError(rate_limited)."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        if request is not None:  # a command has none
            pace.spend("sign_in", addresses.of(request))
