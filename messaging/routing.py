from typing import Any

from django.urls import path, re_path

from messaging.consumers import ChatConsumer
from messaging.stomp.routing import websocket_urlpatterns as stomp


async def nothing_here(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.close"})  # before accept: the handshake is refused with 403


websocket_urlpatterns = [
    path("ws/", ChatConsumer.as_asgi()),
    *stomp,
    re_path("", nothing_here),
]
