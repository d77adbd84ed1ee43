"""The sockets' routes, and how they are found. chattalk/asgi.py joins others in."""

from collections.abc import Awaitable, Callable
from typing import Any

from django.urls import URLPattern, path, re_path

from interfaces.socket.consumer import ChatConsumer
from interfaces.stomp.routing import websocket_urlpatterns as stomp

websocket_urlpatterns = [path("ws/", ChatConsumer.open), *stomp]


async def nothing_here(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.close"})  # before accept: the handshake is refused with 403


def router(*patterns: URLPattern) -> Callable[[Any, Any, Any], Awaitable[None]]:
    """As Channels' URLRouter, but that nothing of it stays as long as the socket does: neither a
    coroutine nor a copy of the scope."""
    doors = [*patterns, re_path("", nothing_here)]

    def sockets(scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        asked = scope["path"].removeprefix("/")
        door = next(each for each in doors if each.pattern.match(asked))
        return door.callback(scope, receive, send)

    return sockets
