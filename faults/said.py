"""What was said, on its way to an acknowledgement."""

import asyncio
from asyncio import Future
from collections.abc import Callable


class Refused(Exception):
    """A message that the room does not take; its code."""


class Said:
    """A message, and the time at which it is said again."""

    def __init__(self, body: str, cid: str) -> None:
        self.body, self.cid = body, cid
        self.answer: Future[int] = asyncio.get_running_loop().create_future()
        self._timer: asyncio.TimerHandle | None = None

    def again(self, seconds: float, send: Callable[["Said"], None]) -> None:
        """It is sent again in so many seconds, unless it is answered or sent before."""
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(seconds, send, self)

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()
