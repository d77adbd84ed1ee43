"""The request or socket that something is done for, so that lines of the log can name it.

Only its own task and the threads that work for it are taken for it: what outlives it, as the writer
of messages, was once started by somebody's message, and works for all.
"""

import asyncio
from contextvars import ContextVar
from typing import Literal, NamedTuple

Kind = Literal["request", "socket"]


class Asking(NamedTuple):
    kind: Kind
    id: str
    task: "asyncio.Task[object] | None"


_asking: ContextVar[Asking | None] = ContextVar("asking", default=None)


def begin(kind: Kind, id: str) -> None:
    """From here on, in this task."""
    _asking.set(Asking(kind, id, asyncio.current_task()))


def now() -> Asking | None:
    found = _asking.get()
    if found is None:
        return None
    try:
        is_own = asyncio.current_task() is found.task
    except RuntimeError:  # no event loop runs here: a thread
        is_own = True
    return found if is_own else None
