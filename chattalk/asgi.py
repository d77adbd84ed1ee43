"""What an ASGI server runs: pages by Django, sockets by Channels, and the end of both."""

import gc
import os
from typing import Any

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections, connection
from django.http import HttpRequest, HttpResponseBase

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chattalk.settings")


class Pages(ASGIHandler):
    """Each request goes to its thread once. As Django does it, each middleware goes there for each
    half of its work and comes back: 38 hops, more than half of the cost of a small answer."""

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        scope["asked_at"] = now_micros()  # before the wait for a thread, which may turn two around
        body = body_limit.LimitedBody(scope, receive)
        if not body.is_too_large:
            await super().handle(scope, body.receive, send)
        if body.is_too_large:
            await body.refuse(send)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        return await sync_to_async(self._answer, thread_sensitive=True)(request)

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        requests.note(response.status_code, request.scope["asked_at"])
        if not response.streaming:  # it is whole: who reads it slowly needs no connection for that
            close_old_connections()
        return response


django.setup(set_prefix=False)
pages = Pages()

from channels.routing import ProtocolTypeRouter  # noqa: E402  (the apps come first)

from chattalk.server import body_limit, health, requests  # noqa: E402
from chattalk.server.pauses import Pauses  # noqa: E402
from chattalk.status.minutes import Minutes  # noqa: E402
from interfaces import routing  # noqa: E402
from interfaces.original import routing as original  # noqa: E402
from messaging.followers import FOLLOWERS  # noqa: E402
from messaging.followers.runner import Runners  # noqa: E402
from messaging.live import gauges, node  # noqa: E402, F401  (gauges are read by who looks)
from presence.room_state import now_micros  # noqa: E402


def settle_memory() -> None:
    """What is there by now stays: the garbage collector need not look through it ever again. It
    did at each growth by a quarter, for half of the time in which a crowd connects."""
    gc.collect()
    gc.freeze()


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
            settle_memory()
            await send({"type": "lifespan.startup.complete"})
        else:
            await minutes.close()
            pauses.stop()
            await runners.close()
            await node.close()
            await send({"type": "lifespan.shutdown.complete"})
            return


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
