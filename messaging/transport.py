"""The server's own transport behind an ASGI `send`, where we know the server.

Needed to let go of a client that does not read: a graceful close waits for its reading for ever.
"""

import asyncio
from typing import Any


def behind(send: Any) -> asyncio.Transport | None:
    """uvicorn's `send` is a method of its protocol; for servers we do not know, None."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    return transport if isinstance(transport, asyncio.Transport) else None
