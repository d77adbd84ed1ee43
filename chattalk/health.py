"""/livez: this process runs. /readyz: it can work, and how each store is.

Outside of Django, so that they are answered at once whatever the pages wait for, and to whom
balancers and monitors write, in whatever words: no Host, no https.

    {"ready": true, "draining": false,
     "stores": {"postgresql": "ok", "redis": "degraded", "mongodb": "down"}}

200 while people can talk; 503 without PostgreSQL, and once the process stops.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from messaging import node

App = Callable[[Any, Any, Any], Awaitable[None]]


def beside(site: App) -> App:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/livez":
            await _send(send, 200, b"ok", b"text/plain")
        elif scope["path"] == "/readyz":
            status, body = await readiness()
            await _send(send, status, json.dumps(body).encode(), b"application/json")
        else:
            await site(scope, receive, send)

    return answer


async def readiness() -> tuple[int, dict[str, Any]]:
    serving = node.current()
    stores = await serving.stores()
    ready = stores["postgresql"] == "ok" and not serving.draining
    return (200 if ready else 503), {
        "ready": ready,
        "draining": serving.draining,
        "stores": stores,
    }


async def _send(send: Any, status: int, body: bytes, kind: bytes) -> None:
    headers = [(b"content-type", kind), (b"cache-control", b"no-store")]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
