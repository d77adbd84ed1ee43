"""The address of a handshake, and the answer to one connection too many."""

import asyncio
import json
import random
from contextlib import suppress
from typing import Any

from django.utils.translation import gettext as _

from core import client_ip, refusal_log
from core.problems import CONTENT_TYPE, problem
from messaging.live.close_codes import COME_BACK, CloseCode

PARTING_SECONDS = 1.0


def address(scope: dict[str, Any]) -> str:
    """The client's address; empty if it is not known."""
    client = scope.get("client")
    return client_ip.home(client[0]) if client else ""


async def turn_away(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Instead of a handshake: 429, where the server can; a socket that is not opened takes least.

    A script in a browser is not told the status, and comes back more and more slowly.
    """
    refusal_log.note("a socket, for there are too many of this address", address(scope))
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close"})  # before accept: 403
        return
    status, headers, body = refusal()
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
    with suppress(TimeoutError):  # uvicorn takes an end before the line's for a fault
        async with asyncio.timeout(PARTING_SECONDS):
            await receive()
            await receive()


def refusal() -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """429 with `too_many`: status, headers, body."""
    seconds = random.uniform(*COME_BACK[CloseCode.BUSY])
    body = problem(429, "too_many", _("Too many connections from your network.")).body
    headers = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"retry-after", str(round(seconds)).encode()),
    ]
    return 429, headers, json.dumps(body).encode()
