"""What a room gives to iterate over: its events, of which none is missed, and its hints.

One reader at a time; who stops and iterates again goes on after what was given out last. Either
ends when the seat is gone, and raises why the client is over, if it is.
"""

import asyncio
from abc import abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from chattalk_client.backoff import Backoff, Loss
from chattalk_client.connection import Connection
from chattalk_client.errors import Refused, Unreachable
from chattalk_client.events import Page, RoomEvent
from chattalk_client.feed import Feed
from chattalk_client.hints import Hint

HINTS_MAX = 64  # that wait; then the oldest goes

T = TypeVar("T", covariant=True)


class Reading(AsyncIterator[T]):
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._news = asyncio.Event()
        self._is_read = False
        self._is_over = False

    def wake(self) -> None:
        """Something new is here."""
        self._news.set()

    def end(self) -> None:
        """After what is here already, no more will come."""
        self._is_over = True
        self.wake()

    def __aiter__(self) -> "Reading[T]":
        return self

    async def __anext__(self) -> T:
        """Cancelled, it has taken nothing. Raises RuntimeError where another waits already."""
        if self._is_read:
            raise RuntimeError("somebody else reads this room already")
        self._is_read = True
        try:
            return await self._next()
        finally:
            self._is_read = False

    async def _next(self) -> T:
        while True:
            self._news.clear()
            if (found := self._take()) is not None:
                return found
            self._connection.check()
            if not await self._look():
                if self._is_over:
                    raise StopAsyncIteration
                await self._news.wait()

    @abstractmethod
    def _take(self) -> T | None:
        """The next, if it is here."""

    async def _look(self) -> bool:
        """Look for more elsewhere; False where there is nowhere to look."""
        return False


class Events(Reading[RoomEvent]):
    """`page` asks for the lines after a `seq`; they come in the order of `seq`."""

    def __init__(
        self, connection: Connection, feed: Feed, page: Callable[[int], Awaitable[Page]]
    ) -> None:
        super().__init__(connection)
        self._feed, self._page = feed, page
        self._backoff = Backoff()

    def _take(self) -> RoomEvent | None:
        return self._feed.take()

    async def _look(self) -> bool:
        """Fill the hole in front of the next line; again and again, until the site answers."""
        if not self._feed.has_hole:
            return False
        try:
            self._feed.fill(await self._page(self._feed.last or 0))
        except (Refused, Unreachable) as error:
            await self._connection.pause(self._wait_after(error))
        else:
            self._backoff = Backoff()
        return True

    def _wait_after(self, error: Refused | Unreachable) -> float:
        """Seconds. Raises what will not pass."""
        if isinstance(error, Unreachable):
            return self._backoff.wait(Loss())
        if not error.is_passing:
            raise error
        return self._backoff.wait(Loss(error.status, error.sentence, error.retry_after))


class Hints(Reading[Hint]):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._waiting: deque[Hint] = deque(maxlen=HINTS_MAX)

    def put(self, hint: Hint) -> None:
        self._waiting.append(hint)
        self.wake()

    def _take(self) -> Hint | None:
        return self._waiting.popleft() if self._waiting else None
