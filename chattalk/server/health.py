"""/livez: this process runs. /readyz: it can work, and how each store is.

Outside of Django, so that they are answered at once whatever the pages wait for, and to whom
balancers and monitors write, in whatever words: no Host, no https.

    {"ready": false, "draining": false,
     "stores": {"postgresql": "degraded", "redis": "ok", "mongodb": "down"},
     "why": {"postgresql": "disk full", "mongodb": "disk full"}}

200 while people can talk; 503 without a PostgreSQL that stores things, and once the process stops.
`why` has a word or two for what is known: anybody may ask, so what the servers say themselves is on
the log.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from chattalk import disk
from core import metrics
from messaging.live import node

STATES = ("ok", "degraded", "down")
ASKED_SECONDS = 3.0  # more than the stores are given

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
    why = causes(stores)
    stores |= {store: "degraded" for store in why if stores[store] == "ok"}
    ready = stores["postgresql"] == "ok" and not serving.draining
    return (200 if ready else 503), {
        "ready": ready,
        "draining": serving.draining,
        "stores": stores,
        "why": why,
    }


def causes(stores: Mapping[str, str]) -> dict[str, str]:
    """Why some of them don't do their part, as far as this process knows; in any thread. That a
    disk is full all processes know, those too that have written nothing."""
    serving = node.running()
    found = serving.why() if serving else {}
    for store in disk.embedded():
        room = disk.SEGMENT if stores[store] == "down" else disk.FULL
        if disk.has_less_than(room):
            found[store] = "disk full"
    return found


async def _send(send: Any, status: int, body: bytes, kind: bytes) -> None:
    headers = [(b"content-type", kind), (b"cache-control", b"no-store")]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _states() -> dict[tuple[str, ...], float] | None:
    """Asked on the loop that serves, by another thread."""
    serving = node.running()
    if serving is None:
        return None
    asked = asyncio.run_coroutine_threadsafe(readiness(), serving.loop)
    stores = asked.result(ASKED_SECONDS)[1]["stores"]
    return {(name, state): state == found for name, found in stores.items() for state in STATES}


metrics.read(
    "chattalk_disk_free_bytes",
    "Room on the disk of the embedded servers.",
    disk.free,
    over="max",
)
metrics.read(
    "chattalk_store_state",
    "1 for the state in which a store is, as /readyz has it: ok, degraded or down.",
    _states,
    labels=("store", "state"),
    over="max",
)
