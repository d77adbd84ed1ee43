"""What an ASGI server runs: pages by Django, sockets by Channels, and the end of both."""

import os
from collections.abc import Awaitable
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chattalk.settings")
pages = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402  (the apps come first)

from messaging import node, transport  # noqa: E402
from messaging.routing import websocket_urlpatterns  # noqa: E402

# Who it is, and from which pages, each door asks by itself: messaging/identity.py.
doors = URLRouter(websocket_urlpatterns)


def sockets(scope: Any, receive: Any, send: Any) -> Awaitable[None]:
    """Outermost, where `send` is still the server's own. No coroutine: it would stay as long as
    its socket does."""
    return doors(scope | {"transport": transport.behind(send)}, receive, send)


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await node.current().start()
            await send({"type": "lifespan.startup.complete"})
        else:
            await node.close()
            await send({"type": "lifespan.shutdown.complete"})
            return


application = ProtocolTypeRouter({"http": pages, "websocket": sockets, "lifespan": lifespan})
