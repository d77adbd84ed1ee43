"""A word of warning where a proxy stands in front of us and is not believed: then all people have
one address, its own, and each limit per address is one for all of them together.

Anybody may send the header, so it is said once in a while only, and nothing else comes of it.
"""

import ipaddress
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

logger = logging.getLogger(__name__)

SECONDS = 3600.0  # between two warnings
HEADER = b"x-forwarded-for"

App = Callable[[Any, Any, Any], Awaitable[None]]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def plain(peer: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """A server that listens on :: sees clients of IPv4 as ::ffff:<address>."""
    address = ipaddress.ip_address(peer)
    return getattr(address, "ipv4_mapped", None) or address


class ForwardedWatch:
    """Around the application, where the peer is still the peer."""

    def __init__(self, app: App, proxies: Sequence[Network]) -> None:
        self._app, self._proxies = app, proxies
        self._next = float("-inf")

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        if scope["type"] != "lifespan" and time.monotonic() >= self._next:
            self._look(scope)
        return self._app(scope, receive, send)  # nothing of this stays as long as a socket does

    def _look(self, scope: Any) -> None:
        if not any(name == HEADER for name, _value in scope["headers"]):
            return
        try:
            address = plain((scope.get("client") or [""])[0])
        except ValueError:  # no network, no address
            return
        if any(address in proxy for proxy in self._proxies):
            return
        self._next = time.monotonic() + SECONDS
        logger.warning(
            "X-Forwarded-For came from %s, which is not believed: limits count that address alone. "
            "If it is your proxy, set BEHIND_PROXY=true and name it in TRUSTED_PROXIES.",
            address,
        )
