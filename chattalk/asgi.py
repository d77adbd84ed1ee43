"""What an ASGI server runs: pages by Django, sockets by Channels, and the end of both."""

import gc
import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chattalk.settings")
pages = get_asgi_application()

from channels.routing import ProtocolTypeRouter  # noqa: E402  (the apps come first)

from messaging import node  # noqa: E402
from messaging.routing import sockets  # noqa: E402


def settle_memory() -> None:
    """What is there by now stays: the garbage collector need not look through it ever again. It
    did at each growth by a quarter, for half of the time in which a crowd connects."""
    gc.collect()
    gc.freeze()


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await node.current().start()
            settle_memory()
            await send({"type": "lifespan.startup.complete"})
        else:
            await node.close()
            await send({"type": "lifespan.shutdown.complete"})
            return


# Nothing around the sockets: who it is, and from which pages, each door asks by itself
# (messaging/identity.py), and their `send` is the server's own (messaging/transport.py).
application = ProtocolTypeRouter({"http": pages, "websocket": sockets, "lifespan": lifespan})
