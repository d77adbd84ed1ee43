"""What makes a whole process wait: the garbage collector, and long turns of the event loop."""

import asyncio
import gc
import time
from typing import Any

from chattalk.server import memory
from core import metrics

EVERY_SECONDS = 0.5  # between two looks at the clock of the loop

COLLECTIONS = metrics.histogram(
    "chattalk_gc_pause_seconds", "Collections of garbage, for which all threads wait."
)
LATE = metrics.histogram(
    "chattalk_loop_delay_seconds", "How late the event loop came to what was due, twice a second."
)


class Pauses:
    """From `start` to `stop`, on the running event loop."""

    def __init__(self) -> None:
        self._began = 0.0

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        gc.callbacks.append(self._collected)
        self._await_next()

    def stop(self) -> None:
        gc.callbacks.remove(self._collected)
        self._timer.cancel()

    def _collected(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
            return
        COLLECTIONS.observe(time.perf_counter() - self._began)
        if info["generation"] == 1:  # in whichever thread
            self._loop.call_soon_threadsafe(memory.requests.looked)

    def _await_next(self) -> None:
        due = self._loop.time() + EVERY_SECONDS
        self._timer = self._loop.call_at(due, self._look, due)

    def _look(self, due: float) -> None:
        LATE.observe(max(0.0, self._loop.time() - due))
        self._await_next()
