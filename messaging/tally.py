"""How many connections each has here, and what one too many is told.

Counted per process, exactly, and not over all of them: what is bounded is the memory of this one,
and a question to Redis for each of a crowd that comes back would cost more than it saves. All
processes together hold at most that many times as much.
"""

import asyncio
import json
import random
from collections.abc import Hashable
from contextlib import suppress
from typing import Any

from django.utils.translation import gettext as _

from accounts import addresses, refusals
from messaging import farewell
from messaging.problems import CONTENT_TYPE, problem

PARTING_SECONDS = 1.0


class TooMany(Exception):
    """They have as many as one may have."""


class Tally:
    def __init__(self, most: int) -> None:
        self.most = most
        self._counts: dict[Hashable, int] = {}

    def take(self, who: Hashable) -> bool:
        """One more, unless they have the most already. Who is nobody in particular may."""
        count = self._counts.get(who, 0)
        if who and count >= self.most:
            return False
        self._counts[who] = count + 1
        return True

    def give_back(self, who: Hashable) -> None:
        """One that was taken is free again."""
        left = self._counts.pop(who) - 1
        if left:
            self._counts[who] = left


def address(scope: dict[str, Any]) -> str:
    """Whose handshake it is; empty if that is not known."""
    client = scope.get("client")
    return addresses.home(client[0]) if client else ""


async def turn_away(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Instead of a handshake: 429, where the server can; a socket that is not opened takes least.

    A script in a browser is not told the status, and comes back more and more slowly.
    """
    refusals.note("a socket, for there are too many of this address", address(scope))
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
    seconds = random.uniform(*farewell.COME_BACK[farewell.BUSY])
    body = problem(429, "too_many", _("Too many connections from your network.")).body
    headers = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"retry-after", str(round(seconds)).encode()),
    ]
    return 429, headers, json.dumps(body).encode()
