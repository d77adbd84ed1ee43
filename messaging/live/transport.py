"""What we know of the server behind ASGI: its transport, and how it tells the end of a socket.

With the transport, a frame that was made once for a whole room goes to each socket as it is: the
plain ASGI send would make it anew for each, and wait for each. It is also needed to let go of a
client that does not read: a graceful close waits for its reading for ever. Other servers than the
one we know work, too, by the plain send alone.
"""

import asyncio
import socket
import struct
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected as Gone  # of a send
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from messaging.live.close_codes import CloseCode
from messaging.live.reading import Box, DirectProtocol, Take

__all__ = ["Gone", "Connection", "behind", "hand_over", "said_goodbye"]

WAITING_MAX = 1024 * 1024  # bytes; a reader that is slower is closed and resumes
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: what is unsent is forgotten


def behind(send: Any) -> asyncio.Transport | None:
    """What uvicorn writes to: its `send` is a method of its protocol. None for another server."""
    protocol = getattr(send, "__self__", None)
    return protocol.transport if isinstance(protocol, WebSocketsSansIOProtocol) else None


def hand_over(receive: Any, take: Take) -> None:
    """A text that comes while `receive` is waited for is given to `take`; where that has not done
    it, or the server is another one, `receive` brings it."""
    protocol = getattr(receive, "__self__", None)
    if isinstance(protocol, DirectProtocol):
        protocol.attend(take)


class Connection:
    """One connection, as far as its server lets us look; of others nothing is asked or cut."""

    __slots__ = ("_transport", "is_direct")

    def __init__(self, transport: asyncio.Transport | None) -> None:
        self._transport = transport
        self.is_direct = transport is not None

    def told_by(self, box: Box) -> int | None:
        """The descriptor, where it may be written to: `box` is told as soon as anything waits for
        the client, and before the descriptor is closed, and so may be another's."""
        transport = self._transport
        if transport is None or transport.is_closing() or transport.get_extra_info("ssl_object"):
            return None
        if not isinstance(protocol := transport.get_protocol(), DirectProtocol):
            return None
        protocol.box = box
        transport.set_write_buffer_limits(high=0)
        return int(transport.get_extra_info("socket").fileno())

    def unread(self) -> int:
        """How many bytes wait for the client to read on."""
        return self._transport.get_write_buffer_size() if self._transport else 0

    def write(self, frames: bytes) -> int:
        """Whole frames, at once; says how many bytes wait now for the client to read on."""
        transport = self._transport
        assert transport is not None, "only where is_direct"
        if transport.is_closing():  # the close frame is the last one
            return 0
        transport.write(frames)
        return transport.get_write_buffer_size()

    @property
    def is_over(self) -> bool:
        """Closed, as far as we can look, though what came before may not be read yet."""
        return self._transport is not None and self._transport.is_closing()

    def check(self) -> None:
        """Cut who takes memory and reads nothing, not even the end that the server has told."""
        if self._transport is not None:
            unread = self.unread()
            if unread > WAITING_MAX or (unread and self._transport.is_closing()):
                self.cut()

    def cut(self) -> None:
        """The end of a connection whose client would not take a close frame. Who reads nothing is
        reset: the kernel, too, would keep what is unsent, and try for many minutes."""
        if self._transport is not None:
            if self.unread() and (line := self._transport.get_extra_info("socket")):
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._transport.abort()


CLEAN_CLOSES = {CloseCode.DONE, CloseCode.GOING_AWAY, CloseCode.RESTART}


def said_goodbye(disconnect: dict[str, Any]) -> bool:
    """Whether the client closed the socket, or its line just died.

    uvicorn gives 1005 for both a close frame without a code and a dead line; a reason, if an empty
    one, comes with a frame alone.
    """
    code = disconnect.get("code")
    return code in CLEAN_CLOSES or (code == CloseCode.NO_CODE and "reason" in disconnect)
