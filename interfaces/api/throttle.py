"""How many requests someone may send: per person; where nobody is signed in, per device whose token
is shown, if we have signed it; and only then per address, where junk of others counts, too."""

from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts import tokens
from core import client_ip, rate_limits

if TYPE_CHECKING:  # the framework reads its settings, and with them this, while it is imported
    from interfaces.api.view import View


class Throttle(BaseThrottle):
    """Notes on the request what interfaces/api/view.py tells the client: RateLimit headers."""

    def allow_request(self, request: Request, view: "View") -> bool:
        self._seconds: float | None = None
        name, who = _caller(request, view)
        counted = rate_limits.count(name, who)
        if counted is None:
            return True
        limit = counted.limit
        request.pace_headers = {
            "RateLimit-Policy": f'"{name}";q={limit.amount};w={limit.get_expiry()}',
            "RateLimit": f'"{name}";r={counted.left};t={counted.seconds}',
        }
        self._seconds = None if counted.allowed else counted.seconds
        return counted.allowed

    def wait(self) -> float | None:
        return self._seconds


def _caller(request: Request, view: "View") -> tuple[str, str]:
    """By which rule the request counts, and as whose."""
    if request.user.is_authenticated:
        return "person", str(request.user.pk)
    if (device := tokens.signed_for(view.shown_token(request))) is not None:
        return "device", device.hex
    return "address", f"{client_ip.of(request._request)} {view.paced_apart}".rstrip()
