"""What we know of the server behind ASGI: its transport, and how it tells the end of a socket.

The transport is needed to let go of a client that does not read: a graceful close waits for its
reading for ever.
"""

import asyncio
from typing import Any

from messaging.outbox import WAITING_MAX


def behind(send: Any) -> asyncio.Transport | None:
    """uvicorn's `send` is a method of its protocol; for servers we do not know, None."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    return transport if isinstance(transport, asyncio.Transport) else None


class Line:
    """One connection, as far as its server lets us look; of others nothing is asked or cut."""

    def __init__(self, transport: asyncio.Transport | None) -> None:
        self._transport = transport

    def check(self) -> None:
        """Cut who takes memory and reads nothing, not even the end that the server has told."""
        if self._transport is not None:
            unread = self._transport.get_write_buffer_size()
            if unread > WAITING_MAX or (unread and self._transport.is_closing()):
                self.cut()

    def cut(self) -> None:
        """The end of a connection whose client would not take a close frame."""
        if self._transport is not None:
            self._transport.abort()


CLEAN_CLOSES = {1000, 1001, 1012}
NO_CODE = 1005


def said_goodbye(disconnect: dict[str, Any]) -> bool:
    """Whether the client closed the socket, or its line just died.

    uvicorn gives 1005 for both a close frame without a code and a dead line; a reason, if an empty
    one, comes with a frame alone.
    """
    code = disconnect.get("code")
    return code in CLEAN_CLOSES or (code == NO_CODE and "reason" in disconnect)
