"""What uvicorn keeps for each socket, made small: thousands of them are idle.

asyncio's queue and event hold five deques, of 600 bytes each when empty; and so many attributes
as uvicorn's protocol has take three times as much in a dictionary as in slots.
"""

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_open = asyncio.Event()  # of all whose clients read on; nobody waits for it
_open.set()


class Queue:
    """As asyncio's, for the one who waits for what comes in."""

    __slots__ = ("_came", "_waiter")

    def __init__(self) -> None:
        self._came: list[Any] = []  # one or two: with the first one, reading stops
        self._waiter: asyncio.Future[None] | None = None

    def empty(self) -> bool:
        return not self._came

    def put_nowait(self, message: Any) -> None:
        self._came.append(message)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def get(self) -> Any:
        assert self._waiter is None, "somebody waits already"
        while not self._came:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._came.pop(0)


# Each attribute that uvicorn 0.54 and our own classes set; others would be kept as always.
SLOTS = (
    "_is_between", "_is_waited_for", "_key", "_pings", "_rest", "app", "app_state", "asgi_version",
    "box", "client", "close_sent", "close_timeout", "close_timer", "config", "conn", "connections",
    "curr_msg_data_type", "default_headers", "disconnected", "frames", "handshake_complete",
    "handshake_initiated", "initial_response", "last_ping_rtt", "logger", "loop",
    "pending_ping_payload", "ping_interval", "ping_sent_at", "ping_timeout", "ping_timer",
    "pong_timer", "queue", "read_paused", "root_path", "scheme", "scope", "server", "take_now",
    "tasks", "transport", "writable",
)  # fmt: skip


class SmallProtocol(WebSocketsSansIOProtocol):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.queue = Queue()  # type: ignore[assignment]
        self.writable = _open

    def pause_writing(self) -> None:
        self.writable = asyncio.Event()

    def resume_writing(self) -> None:
        self.writable.set()
        self.writable = _open
