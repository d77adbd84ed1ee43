"""How many requests someone may send: per person, or per address where nobody is signed in."""

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts import addresses, pace


class Pace(BaseThrottle):
    """Notes on the request what accounts/api/view.py tells the client: RateLimit headers."""

    def allow_request(self, request: Request, view: object) -> bool:
        self._seconds: float | None = None
        person = request.user.pk if request.user.is_authenticated else None
        if person is not None:
            counted = pace.count(name := "person", str(person))
        else:
            counted = pace.count(name := "address", addresses.of(request._request))
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
