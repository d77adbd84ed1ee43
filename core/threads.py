"""The threads in which requests are answered: a few that stay, and first for who is in.

A thread is not made for each request: few of them get on faster than many, which only take the one
interpreter from each other, and from the event loop. What is known to wait for others goes `aside`,
so that another may work meanwhile. Where all wait for something that nobody foresaw (a lock, a slow
statement), more threads come, as long as the process itself is idle.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, copy_context
from queue import SimpleQueue
from typing import Any, Generic, NamedTuple, TypeVar

LOOK_SECONDS = 0.1  # between two looks at who waits
STUCK_SECONDS = 0.5  # of waiting, while the process has hardly anything to do
IDLE_SHARE = 0.5  # of a core: a process that uses less of it waits for others

Answer = TypeVar("Answer")


class TooLate(Exception):
    """It has waited for so long that it is better asked again."""


class Job(NamedTuple):
    work: Callable[[], Any]
    answer: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop
    context: Context
    asked_at: float  # of time.monotonic()


class WaitingLine(Generic[Answer]):
    """Those who wait for a thread, the first to come first."""

    def __init__(self, longest: float) -> None:
        self.jobs: deque[Job] = deque()
        self._longest = longest  # seconds

    @property
    def waited(self) -> float:
        """How long the first has been waiting; seconds."""
        try:
            return time.monotonic() - self.jobs[0].asked_at
        except IndexError:
            return 0.0

    def next(self) -> Job | None:
        try:
            return self.jobs.popleft()
        except IndexError:
            return None

    def give_up(self) -> None:
        """On the event loop: those who have waited for too long are told so."""
        while self.waited > self._longest and (job := self.next()):
            if not job.answer.done():
                job.answer.set_exception(TooLate())


class Threads:
    """`few` of them, and up to `most` where they only wait. Of those who are not in yet at most
    half as many are worked for at the same time, and nobody waits longer than `longest` seconds."""

    def __init__(self, few: int, most: int, longest: float, longest_new: float) -> None:
        self.few, self.most = few, most
        self.known, self.new = WaitingLine[Any](longest), WaitingLine[Any](longest_new)
        self._new_most = max(1, few // 2)
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._mutex = threading.Lock()
        self._present = self._idle = self._aside = self._of_new = 0
        self._timer: asyncio.TimerHandle | None = None
        self._last_look = (0.0, 0.0)

    def run(self, work: Callable[[], Answer], *, is_new: bool) -> "asyncio.Future[Answer]":
        """On the event loop. Raises TooLate, and what `work` raises."""
        loop = asyncio.get_running_loop()
        line = self.new if is_new else self.known
        job = Job(work, loop.create_future(), loop, copy_context(), time.monotonic())
        line.jobs.append(job)
        self._wake.put(None)
        self._call_one()
        if self._timer is None:
            self._last_look = (time.monotonic(), time.process_time())
            self._timer = loop.call_later(LOOK_SECONDS, self._look, loop)
        return job.answer

    def _call_one(self, limit: int | None = None) -> None:
        with self._mutex:
            is_enough = self._present - self._aside >= (limit or self.few)
            if is_enough or self._idle >= len(self.known.jobs) + len(self.new.jobs):
                return
            self._present += 1
            self._idle += 1
        threading.Thread(target=self._work, name="request", daemon=True).start()

    # --- in the threads -------------------------------------------------------------------------

    def _work(self) -> None:
        _mine.threads = self
        while True:
            self._wake.get()
            with self._mutex:
                self._idle -= 1
            self._take_one()
            with self._mutex:
                if self._present - self._aside > self.few:
                    self._present -= 1
                    return
                self._idle += 1

    def _take_one(self) -> None:
        """One of those who are in, before all others."""
        job, is_new = self.known.next(), False
        if job is None:
            with self._mutex:
                if self._of_new >= self._new_most or (job := self.new.next()) is None:
                    return
                self._of_new, is_new = self._of_new + 1, True
        try:
            _run(job)
        finally:
            if is_new:
                self._new_done()

    def _new_done(self) -> None:
        with self._mutex:
            self._of_new -= 1
        if self.new.jobs:  # who came to it meanwhile left it waiting
            self._wake.put(None)

    @contextmanager
    def go_aside(self) -> Iterator[None]:
        with self._mutex:
            self._aside += 1
        self._call_one()
        try:
            yield
        finally:
            with self._mutex:
                self._aside -= 1

    # --- on the event loop ----------------------------------------------------------------------

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self.known.give_up()
        self.new.give_up()
        now, used = time.monotonic(), time.process_time()
        share = (used - self._last_look[1]) / max(now - self._last_look[0], 0.001)
        self._last_look = (now, used)
        if max(self.known.waited, self.new.waited) > STUCK_SECONDS and share < IDLE_SHARE:
            self._call_one(self.most)
        self._timer = None
        if self.known.jobs or self.new.jobs:
            self._timer = loop.call_later(LOOK_SECONDS, self._look, loop)


def _run(job: Job) -> None:
    try:
        found = job.context.run(job.work)
    except BaseException as error:
        _tell(job, job.answer.set_exception, error)
    else:
        _tell(job, job.answer.set_result, found)


def _tell(job: Job, set_it: Callable[[Any], None], found: object) -> None:
    def told() -> None:
        if not job.answer.done():  # else who asked has gone
            set_it(found)

    if not job.loop.is_closed():
        job.loop.call_soon_threadsafe(told)


class _Mine(threading.local):
    threads: Threads | None = None


_mine = _Mine()


@contextmanager
def aside() -> Iterator[None]:
    """While this thread waits for others, another may take its place."""
    if _mine.threads is None:
        yield
        return
    with _mine.threads.go_aside():
        yield
