"""Each request and socket has a name, for the log: the proxy's, if it is believed and gives one."""

import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from chattalk.server.forwarded import Network, plain
from core import asking

HEADER = b"x-request-id"
SANE = re.compile(rb"[A-Za-z0-9._:/+=-]{1,64}")

App = Callable[[Any, Any, Any], Awaitable[None]]


class Named:
    """Around the application, where the peer is still the peer."""

    def __init__(self, app: App, proxies: Sequence[Network]) -> None:
        self._app, self._proxies = app, proxies

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        if scope["type"] != "lifespan":
            kind: asking.Kind = "socket" if scope["type"] == "websocket" else "request"
            asking.begin(kind, self._given(scope) or secrets.token_hex(8))
        return self._app(scope, receive, send)  # nothing of this stays as long as a socket does

    def _given(self, scope: Any) -> str:
        shown = next((value for name, value in scope["headers"] if name == HEADER), b"")
        if not SANE.fullmatch(shown) or not self._is_believed(scope.get("client")):
            return ""
        return str(shown.decode())

    def _is_believed(self, client: Any) -> bool:
        try:
            peer = plain((client or [""])[0])
        except ValueError:  # no network, no address
            return False
        return any(peer in proxy for proxy in self._proxies)
