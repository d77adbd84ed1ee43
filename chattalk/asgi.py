"""What an ASGI server runs: pages by Django, sockets by Channels, and the end of both."""

import os
from typing import Any

import django
from django.conf import settings
from django.db import connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chattalk.settings")


django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter  # noqa: E402  (the apps come first)

from chattalk.server import health, memory  # noqa: E402
from chattalk.server.pages import Pages  # noqa: E402
from chattalk.server.pauses import Pauses  # noqa: E402
from chattalk.status.minutes import Minutes  # noqa: E402
from interfaces import routing  # noqa: E402
from interfaces.original import routing as original  # noqa: E402
from messaging.followers import FOLLOWERS  # noqa: E402
from messaging.followers.runner import Runners  # noqa: E402
from messaging.live import gauges, node  # noqa: E402, F401  (gauges are read by who looks)


def open_pool() -> None:
    """Its first connection comes before anyone needs it, and waits for nothing: who starts beside
    many others may find none left later."""
    if pool := getattr(connection, "pool", None):
        pool.open()


def show_metrics() -> None:
    if settings.METRICS_PORT:
        from core import exposition  # its library is for those who want it

        exposition.serve(settings.METRICS_PORT, {"worker": str(settings.WORKER)})


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await node.current().start()
            open_pool()
            runners = Runners(node.current(), FOLLOWERS)
            runners.start()
            pauses = Pauses()
            pauses.start()
            minutes = Minutes()
            minutes.start()
            show_metrics()
            memory.settle()
            await send({"type": "lifespan.startup.complete"})
        else:
            await minutes.close()
            pauses.stop()
            await runners.close()
            await node.close()
            await send({"type": "lifespan.shutdown.complete"})
            return


pages = Pages()
# Nothing around the sockets: who it is, and from which pages, each door asks by itself
# (interfaces/socket/authentication.py), and their `send` is the server's own
# (messaging/live/transport.py).
sockets = routing.router(
    *routing.websocket_urlpatterns,
    *original.websocket_urlpatterns,
)
served = health.beside(pages)
if settings.METRICS_TOKEN:
    from chattalk.server import metrics_page  # its library is for those who want it

    served = metrics_page.beside(served)
application = ProtocolTypeRouter({"http": served, "websocket": sockets, "lifespan": lifespan})
