"""A WebSocket that says exactly what a test has it say, and shows all that comes: nothing is
resumed, said again or put right on the way.

It is for tests of the wire itself. A test that only needs a person in a room takes the client that
everybody has (clients/python); one whose bytes must be wrong takes tests/raw_line.py.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
import websockets
from websockets.asyncio.client import ClientConnection
from websockets.typing import Subprotocol

SECONDS = 20.0  # how long a busy machine may take


def opened(
    url: str,
    path: str = "/ws/",
    *,
    cookie: str = "",
    words: Sequence[str] = (),
    headers: dict[str, str] | None = None,
    **options: Any,
) -> websockets.connect:
    """A connection to await or to enter, as a page of that site opens it.

    cookie   of somebody's session
    words    what is offered as subprotocols, as `by_token` and `by_ticket` say them
    headers  more of them, or another Origin
    options  more for `websockets.connect`
    """
    sent = {"Origin": url}
    if cookie:
        sent["Cookie"] = cookie
    usual: dict[str, Any] = {"compression": None, "max_size": None, "open_timeout": SECONDS}
    return websockets.connect(
        url.replace("http", "ws", 1) + path,
        additional_headers=sent | (headers or {}),
        subprotocols=[Subprotocol(word) for word in words] or None,
        **usual | options,
    )


def by_token(token: str) -> list[str]:
    return ["chattalk", f"bearer.{token}"]


def by_ticket(ticket: str) -> list[str]:
    return ["chattalk", f"ticket.{ticket}"]


# --- frames of /ws/ -------------------------------------------------------------------------------


async def tell(ws: ClientConnection, type: str, **fields: Any) -> None:
    await ws.send(json.dumps({"type": type, **fields}))


async def frame(ws: ClientConnection, *types: str) -> dict[str, Any]:
    """The next of these types; others on the way are passed over."""
    while True:
        got = json.loads(await asyncio.wait_for(ws.recv(), SECONDS))
        if got["type"] in types:
            return got


async def subscribe(ws: ClientConnection, room_id: int, **after: int) -> dict[str, Any]:
    await tell(ws, "subscribe", room=room_id, **after)
    return await frame(ws, "subscribed")


async def say(ws: ClientConnection, room_id: int, body: str) -> dict[str, Any]:
    """Its `ack` or `nack`."""
    await tell(ws, "send", room=room_id, body=body, cid=str(uuid4()))
    return await frame(ws, "ack", "nack")


# --- the end --------------------------------------------------------------------------------------


async def to_the_end(ws: ClientConnection) -> list[str | bytes]:
    """All that is told before it is closed. How it is closed stands in `ws.close_code`."""
    told = []
    with pytest.raises(websockets.ConnectionClosed):
        while True:
            told.append(await asyncio.wait_for(ws.recv(), SECONDS))
    return told
