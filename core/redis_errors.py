"""What the event loop's clients of Redis are given: a connection that has ended says so.

redis-py takes what it is told by OSError. uvloop tells a RuntimeError of its own when something is
written to a connection that ended a moment ago (uvloop #506), as while Redis dies; asyncio's own
loop leaves it to the next read. Threads have core/redis.py.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoConnection

ENDED = "the handler is closed"


class EndedConnections(Retry):
    """`again`: how often on a connection that Redis closed meanwhile; a silent one is down."""

    def __init__(self, again: int = 0) -> None:
        super().__init__(NoBackoff(), again, (NoConnection,))

    async def call_with_retry(
        self, do: Callable[[], Awaitable[Any]], *args: Any, **named: Any
    ) -> Any:
        return await super().call_with_retry(lambda: _said(do), *args, **named)


async def _said(do: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return await do()
    except RuntimeError as error:
        if ENDED not in str(error):
            raise
        raise NoConnection(str(error)) from error
