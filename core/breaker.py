"""Whether a store is up, as far as one process knows, so that nobody waits for one that is down.

Whoever asks a store tells its breaker what came of it: `failed` or `answered`. When that changes it
stands on the log once, and `turned` is called. While the store is down somebody has to ask on, or
nobody would find out that it is back:

    Breaker          who comes next: of all who call `may_try` in `seconds`, one may
    AskingByThread   a thread of its own, each `seconds`, by `knock`
    AskingByTask     a task of the event loop, each `seconds`, by `knock`

What is a store's own is what counts as a failure, how to knock, and the words.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from threading import Lock, Thread
from typing import Any

from core.text import first_line

logger = logging.getLogger(__name__)

FOR_EVER = float("inf")
Failures = type[Exception] | tuple[type[Exception], ...]


def _nothing() -> None:
    pass


class Breaker:
    """For any thread. `down` and `back` are the words on the log; without them another breaker of
    the same store has told it. `turned` is called by whoever found out."""

    def __init__(
        self,
        down: str = "",
        back: str = "",
        *,
        level: int = logging.WARNING,  # of the line that says that it is down
        turned: Callable[[], None] = _nothing,
        seconds: float = FOR_EVER,  # for which a failure counts, if nobody tries
        repeat_seconds: float = FOR_EVER,  # between two lines that say the same
    ) -> None:
        self.seconds = seconds
        self._down, self._back, self._turned = down, back, turned
        self._level, self._repeat_seconds = level, repeat_seconds
        self._lock = Lock()
        self.forget()

    def forget(self) -> None:
        """Know nothing of it any more, as at the start; for tests."""
        self._is_down, self._why = False, ""
        self._counts_until = self._silent_until = 0.0

    @property
    def is_down(self) -> bool:
        return self._is_down and time.monotonic() < self._counts_until

    @property
    def why(self) -> str:
        """In a word or two why it is down; empty if it is up, or that is not known."""
        return self._why if self.is_down else ""

    def failed(self, cause: Exception | str, why: str = "") -> None:
        """`cause` goes on the log, `why` to people."""
        now = time.monotonic()
        with self._lock:
            turns, self._is_down, self._why = not self._is_down, True, why
            self._counts_until = now + self.seconds
            says = turns or now >= self._silent_until
            if says:
                self._silent_until = now + self._repeat_seconds
        if says and self._down:
            said = first_line(cause) if isinstance(cause, Exception) else cause
            logger.log(self._level, "%s: %s", self._down, said)
        if turns:
            self._turned()

    def answered(self) -> None:
        with self._lock:
            turns, self._is_down = self._is_down, False
        if turns:
            if self._back:
                logger.warning(self._back)
            self._turned()

    def may_try(self) -> bool:
        """While it is down: of all who come, one each `seconds`."""
        if not self._is_down:
            return True
        with self._lock:
            if self.is_down:
                return False
            self._counts_until = time.monotonic() + self.seconds
            return True


class AskingByThread(Breaker):
    """`knock` blocks for a bounded time. What it raises goes to `judge`, which calls `failed` if it
    counts; without `judge` all of it does."""

    def __init__(
        self,
        down: str,
        back: str,
        *,
        name: str,
        knock: Callable[[], None],
        failures: Failures,
        every: float,  # seconds
        judge: Callable[[Exception], None] | None = None,
    ) -> None:
        super().__init__(down, back, level=logging.ERROR, turned=self._ask_on_if_down)
        self.before_each: Callable[[], None] = _nothing  # while it is down, before each question
        self._name, self._knock, self._failures, self._every = name, knock, failures, every
        self._judge = judge or self.failed
        self._asking = Lock()
        self._answered_at = -FOR_EVER
        self._is_asking_on = False

    def doubt(self) -> bool:
        """Ask whether it is down: once, for all who doubt at the same time."""
        doubted_at = time.monotonic()
        with self._asking:  # an answer that came while we waited for our turn is ours, too
            if not self.is_down and self._answered_at < doubted_at:
                self._ask()
            return self.is_down

    def doubt_in_thread(self) -> None:
        """As `doubt`, for who can't wait; nothing is to be done if it is being asked."""
        if not self.is_down and not self._asking.locked():
            self._start(self.doubt)

    def _ask(self) -> None:
        try:
            self._knock()
        except self._failures as error:
            self._judge(error)
        else:
            self._answered_at = time.monotonic()
            self.answered()

    def _ask_on_if_down(self) -> None:
        with self._lock:  # it may have been back for a moment, unnoticed by the thread
            starts = self._is_down and not self._is_asking_on
            self._is_asking_on |= starts
        if starts:
            self._start(self._ask_on)

    def _ask_on(self) -> None:
        while self._goes_on():
            self.before_each()
            time.sleep(self._every)
            self._ask()

    def _goes_on(self) -> bool:
        with self._lock:
            self._is_asking_on = self._is_down
            return self._is_asking_on

    def _start(self, asking: Callable[[], object]) -> None:
        Thread(target=asking, name=self._name, daemon=True).start()


class AskingByTask(Breaker):
    """Belongs to one event loop. `start` makes a task, and keeps it until it has ended."""

    def __init__(
        self,
        down: str,
        back: str,
        *,
        knock: Callable[[], Awaitable[None]],
        failures: Failures,
        every: float,  # seconds
        start: Callable[[Coroutine[Any, Any, None]], object],
        turned: Callable[[], None] = _nothing,
    ) -> None:
        super().__init__(down, back, turned=self._ask_on_if_down)
        self._knock, self._failures, self._every = knock, failures, every
        self._start, self._tell = start, turned

    def _ask_on_if_down(self) -> None:
        self._tell()
        if self._is_down:
            self._start(self._ask_on())

    async def _ask_on(self) -> None:
        while self._is_down:
            await asyncio.sleep(self._every)
            try:
                await self._knock()
            except self._failures as error:
                self.failed(error)
            else:
                self.answered()
