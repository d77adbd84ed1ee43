"""Runs an operation on the request's own thread, and gathers what its resolvers look up.

graphql-core's execution is asynchronous, Django's database is not. So the operation has a small
event loop to itself: it runs until resolvers wait for something, then stands still while all that
they asked for is fetched, each kind at once for all keys; then it goes on. There are as many
queries as the document has kinds of things, however many rooms they are for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextlib import closing
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError

from accounts.models import User
from core.answer_limit import ANSWER_MAX
from core.postgresql.pool import within
from interfaces.graphql.counted import Budget, is_too_much
from messaging.log import allowance

Fetch = Callable[..., dict[Any, Any]]


class ResolverContext:
    """What resolvers have: who asks, and the two ways to the services."""

    budget: Budget

    def __init__(self, user: User) -> None:
        self.user = user
        self._known: dict[Hashable, asyncio.Future[Any]] = {}
        self._asked: dict[Hashable, tuple[Fetch, dict[str, Any], list[Any]]] = {}
        self._calls: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []

    def load(self, fetch: Fetch, key: Hashable, **same: Any) -> Awaitable[Any]:
        """`fetch(keys, **same)[key]` or None, fetched once with all keys that others wait for."""
        kind = (fetch, *same.items())
        future = self._known.get((kind, key))
        if future is None:
            future = self._known[kind, key] = self._future()
            self._asked.setdefault(kind, (fetch, same, []))[2].append(key)
        return future

    def run(self, function: Callable[..., Any], *args: Any, **named: Any) -> Awaitable[Any]:
        """`function(*args, **named)`, where it may use the database."""
        future = self._future()
        self._calls.append((partial(function, *args, **named), future))
        return future

    def _future(self) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.stop)
        return loop.create_future()

    def work(self) -> None:
        """Do all that is waited for. What it raises is for those who wait."""
        calls, self._calls = self._calls, []
        asked, self._asked = self._asked, {}
        for function, future in calls:
            self._settle([future], partial(_alone, function))
        for kind, (fetch, same, keys) in asked.items():
            futures = [self._known[kind, key] for key in keys]
            self._settle(futures, partial(_in_order, fetch, keys, same))

    def _settle(self, futures: "list[asyncio.Future[Any]]", fetch: Callable[[], list[Any]]) -> None:
        if not self.budget.has_time():
            return  # nobody waits any more
        try:
            values = fetch()
        except Exception as error:
            if isinstance(error, ValidationError) and is_too_much(error):
                self.budget.why = error
                return
            for future in futures:
                future.set_exception(error)
        else:
            for future, value in zip(futures, values, strict=True):
                future.set_result(value)


def _alone(function: Callable[[], Any]) -> list[Any]:
    return [function()]


def _in_order(fetch: Fetch, keys: list[Any], same: dict[str, Any]) -> list[Any]:
    found = fetch(keys, **same)
    return [found.get(key) for key in keys]


def run(operation: Callable[..., Any], context: ResolverContext, seconds: float) -> Any:
    """What `operation(context_value=…)` answers.

    Raises ValidationError: unavailable when it asks for more after that time, too_complex when its
    answer or what is read for it grows too large.
    """
    context.budget = Budget(seconds)
    with closing(asyncio.new_event_loop()) as loop, allowance.texts(ANSWER_MAX), within(seconds):
        task = loop.create_task(_whole(operation, context))
        task.add_done_callback(lambda done: loop.stop())
        while True:
            loop.run_forever()
            if context.budget.why is None:
                if task.done():
                    return task.result()
                context.work()
            if context.budget.why is not None:
                _abandon(loop)
                raise context.budget.why


async def _whole(operation: Callable[..., Any], context: ResolverContext) -> Any:
    answer = operation(context_value=context)
    return await answer if isinstance(answer, Awaitable) else answer


def _abandon(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
