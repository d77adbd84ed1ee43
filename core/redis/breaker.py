"""How long is waited for Redis: for one answer, once. Everyone's client of it is given this.

For threads: a circuit breaker where redis-py itself asks whether to try: so it holds for the cache,
the locks and the limits alike, whichever library speaks to Redis for them. Those that there are
(pybreaker, circuitbreaker) wrap calls, which here are inside of libraries; and the one lets only
one call be made at a time, the other lets all try at once when the break is over.

For the event loop: a connection that has ended says so. redis-py takes what it is told by OSError.
uvloop tells a RuntimeError of its own when something is written to a connection that ended a moment
ago (uvloop #506), as while Redis dies; asyncio's own loop leaves it to the next read.
"""

import logging
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import ResponseError, TimeoutError
from redis.retry import Retry

from core.breaker import Breaker

BREAK_SECONDS = 2.0  # between two who wait for it while it is down
COMPLAIN_SECONDS = 60.0  # between two lines that say the same
REFUSED_SECONDS = 5.0  # for which a refusal counts
ENDED = "the handler is closed"  # uvloop
REFUSALS = {"OutOfMemory": "memory full", "ReadOnly": "read only", "MISCONF": "disk full"}


class RedisBreaker(Retry):
    """Once again on a connection that Redis closed meanwhile; a silent one is down."""

    def __init__(self) -> None:
        super().__init__(NoBackoff(), 1, (NoConnection,))
        self.answers = Breaker("Redis is left alone", "Redis answers again", seconds=BREAK_SECONDS)
        # What it holds is read meanwhile, so that success says nothing; and somebody writes all
        # the time.
        self.writes = Breaker(
            "Redis takes nothing that is written",
            level=logging.ERROR,
            seconds=REFUSED_SECONDS,
            repeat_seconds=COMPLAIN_SECONDS,
        )
        self._own = threading.local()

    def forget(self) -> None:
        self.answers.forget()
        self.writes.forget()

    def __deepcopy__(self, memo: dict[int, Any]) -> "RedisBreaker":
        """Each connection copies its own: what one has learnt all know."""
        return self

    def call_with_retry(self, do: Callable[[], Any], *args: Any, **named: Any) -> Any:
        if not self._may_try():
            raise NoConnection("Redis is left alone for a while")
        try:
            answer = super().call_with_retry(do, *args, **named)
        except (NoConnection, TimeoutError, OSError) as error:
            self.answers.failed(error)
            raise
        except ResponseError as error:  # it answers all the same
            self._refused(error)
            raise
        if named.get("with_failure_count"):  # a command; to connect may have been nothing to do
            self.answers.answered()
        return answer

    @contextmanager
    def insisting(self) -> Iterator[None]:
        """Here it is asked in any case."""
        self._own.until = float("inf")
        try:
            yield
        finally:
            self._own.until = 0.0

    def _may_try(self) -> bool:
        if time.monotonic() < getattr(self._own, "until", 0.0):
            return True
        if not self.answers.may_try():
            return False
        if self.answers.is_down:  # of all who come, we try: to connect, and then to ask
            self._own.until = time.monotonic() + self.answers.seconds
        return True

    def _refused(self, error: Exception) -> None:
        why = next((why for mark, why in REFUSALS.items() if mark in _said(error)), "")
        if why:
            self.writes.failed(f"{why} ({error})", why)


def _said(error: Exception) -> str:
    """redis-py takes the code off what it knows."""
    return f"{type(error).__name__} {error}"


class EndedConnections(AsyncRetry):
    """`again`: how often on a connection that Redis closed meanwhile; a silent one is down."""

    def __init__(self, again: int = 0) -> None:
        super().__init__(NoBackoff(), again, (NoConnection,))

    async def call_with_retry(
        self, do: Callable[[], Awaitable[Any]], *args: Any, **named: Any
    ) -> Any:
        return await super().call_with_retry(lambda: _ended(do), *args, **named)


async def _ended(do: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return await do()
    except RuntimeError as error:
        if ENDED not in str(error):
            raise
        raise NoConnection(str(error)) from error
