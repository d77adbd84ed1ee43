"""Questions of many, answered together: who is alone is asked for at once, a crowd in one go.

As the messages in messaging/live/writer.py: those that come while one batch is being answered go
together in the next. So an answer is never older than its question. Where some wait already when
a batch is answered, more are on their way: the next one waits a moment for them.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from core.postgresql.breaker import Unavailable

BATCH_MAX = 200  # questions; all who asked them go on in the same turn of the loop
CROWD, GATHER_SECONDS = 4, 0.02  # so many who wait are a crowd, and so long it is waited for more
WAITING_MAX = 5_000  # questions; a crowd of 2,000 that comes back is answered in two seconds

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Batcher(Generic[Question, Answer]):
    """Belongs to one event loop. `answer` gives the answers in the order of the questions; what it
    raises they all get, so no question may be one that it stumbles over. Nobody waits longer than
    `seconds`, with the wait for those before: one timer sees to it, for thousands are not free."""

    def __init__(
        self, answer: Callable[[Sequence[Question]], Awaitable[Sequence[Answer]]], seconds: float
    ) -> None:
        self._answer, self._seconds = answer, seconds
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None
        self._bounds: deque[tuple[float, asyncio.Future[Answer]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def ask(self, question: Question) -> Answer:
        """Raises Unavailable when too many wait or it takes too long, and what `answer` raises."""
        if len(self._waiting) >= WAITING_MAX:
            raise Unavailable
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((question, future))
        self._bounds.append((loop.time() + self._seconds, future))
        self._look_at_the_clock()
        if self._task is None:
            self._task = loop.create_task(self._work())
        return await future

    def _look_at_the_clock(self) -> None:
        """Give up those that have waited too long, and come back for the next one."""
        loop = asyncio.get_running_loop()
        while self._bounds and (self._bounds[0][1].done() or self._bounds[0][0] <= loop.time()):
            _, future = self._bounds.popleft()
            if not future.done():
                future.set_exception(Unavailable())
        if self._bounds and self._timer is None:
            self._timer = loop.call_at(self._bounds[0][0], self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        self._look_at_the_clock()

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
                waiting = [one for one in batch if not one[1].done()]  # others have gone
                if waiting:
                    await self._tell(waiting)
                if CROWD <= len(self._waiting) < BATCH_MAX:
                    await asyncio.sleep(GATHER_SECONDS)
        finally:
            self._task = None

    async def _tell(self, waiting: "list[tuple[Question, asyncio.Future[Answer]]]") -> None:
        try:
            answers = await self._answer([question for question, _ in waiting])
        except Exception as error:
            for _, future in waiting:
                if not future.done():
                    future.set_exception(error)
        else:
            for (_, future), answer in zip(waiting, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
