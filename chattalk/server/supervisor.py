"""Keeps each part of the site running, on its own, until the end.

Each part has a thread, so that it may be waited for as long as it takes (PostgreSQL that reads its
log again, a break after failures) while nobody else waits. The thread starts its part anew, and it
does not end before the part has: Linux ends a tied process with the thread that started it.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from subprocess import TimeoutExpired
from typing import Protocol

from chattalk.embedded import Process, Retired, StartFailed
from core import metrics

STEADY_SECONDS = 30  # who has run for so long is started again at once
FIRST_BREAK, LONGEST_BREAK = 0.5, 15.0  # seconds, before the second try and at most
LONG_BREAK = 2.0  # seconds; nobody is to wait for a worker for so long
RELIEVED_WITHIN = 90.0  # seconds, for one that is just being started again to come up before that
LOOK_SECONDS = 1  # a signal that came just before the wait is seen so soon

logger = logging.getLogger(__name__)

RESTARTS = metrics.labelled(
    "chattalk_restarts_total", "Parts that ended unexpectedly, and were started again.", "part"
)


class Part(Protocol):
    """A server or a worker."""

    process: Process

    def start(self) -> None: ...
    def wait(self, show: Callable[[str], None] = ...) -> None: ...
    def be_away(self) -> None: ...  # it may take a while until it is back


class Relievable(Part, Protocol):
    def relieve(self) -> Process: ...


class Breaks:
    """Between tries: none at first, then longer and longer ones, each somewhat at random, so that
    what failed together is not tried again together."""

    def __init__(self) -> None:
        self._tries = 0

    def lasted(self, seconds: float) -> None:
        if seconds >= STEADY_SECONDS:
            self._tries = 0

    def next(self) -> float:
        self._tries += 1
        if self._tries == 1:
            return 0.0
        longest = min(LONGEST_BREAK, FIRST_BREAK * 2 ** min(self._tries - 2, 16))
        return random.uniform(longest / 2, longest)


class Supervisor:
    """`tell` is called by any thread."""

    def __init__(self, parts: Iterable[Part], tell: Callable[[str], None]) -> None:
        self.parts, self._tell = list(parts), tell
        self._ending = threading.Event()
        self._starting = {id(part): threading.Lock() for part in self.parts}
        self.threads: list[threading.Thread] = []
        for part in self.parts:  # 0 until they fall: Prometheus sees a growth only from a number on
            RESTARTS.add(part.process.name, many=0)

    def start(self) -> None:
        for part in self.parts:
            self._in_thread(self._keep, part)

    def _in_thread(self, keep: Callable[..., None], part: Part, *more: object) -> None:
        thread = threading.Thread(
            target=keep, args=(part, *more), name=part.process.name, daemon=True
        )
        self.threads.append(thread)
        thread.start()

    def relieve(self, part: Relievable) -> Process:
        """Start its successor beside it, and keep that one from then on. The process before it
        comes back, for the caller to end. Raises StartFailed, and Retired where all is to end."""
        relieved: Future[Process] = Future()
        self._in_thread(self._relieve, part, relieved)
        return relieved.result()

    def watch(self) -> None:
        """For ever; a signal ends it by its exception, which no lock of ours is to be in the way
        of: so it sleeps, and waits for no event."""
        while not self._ending.is_set():
            time.sleep(LOOK_SECONDS)

    def let_go(self) -> None:
        """What ends from now on stays so. A start under way comes to its end."""
        self._ending.set()

    def end(self) -> None:
        """Nothing is started any more; what runs is for the caller to stop."""
        self.let_go()
        for part in self.parts:
            part.process.retire()

    def _keep(self, part: Part) -> None:
        breaks = Breaks()
        while True:
            began, process = time.monotonic(), part.process
            status = process.wait(None)
            with self._starting[id(part)]:  # maybe its successor is just coming up
                if self._ending.is_set() or part.process is not process:
                    return
                breaks.lasted(time.monotonic() - began)
                RESTARTS.add(process.name)
                process.has_fallen = True
                self._bring_back(part, breaks, _end_of(part, status))

    def _relieve(self, part: Relievable, relieved: "Future[Process]") -> None:
        """In the thread that keeps the successor from then on."""
        starting = self._starting[id(part)]
        if not starting.acquire(timeout=RELIEVED_WITHIN):
            relieved.set_exception(StartFailed(f"{part.process.name} does not come up"))
            return
        try:
            found = part.relieve()
        except BaseException as error:
            is_over = self._ending.is_set()  # then it was stopped while it started
            relieved.set_exception(Retired(part.process.name) if is_over else error)
            return
        finally:
            starting.release()
        relieved.set_result(found)
        self._keep(part)

    def _bring_back(self, part: Part, breaks: Breaks, why: str) -> None:
        began = time.monotonic()
        while not self._ending.wait(self._break(part, breaks, why)):
            try:
                part.start()
                part.wait(self._say)
            except Retired:
                return
            except Exception as error:  # whatever it was: the others stay, and it is tried again
                why = _reason(error)
                _stop(part)
            else:
                part.process.has_fallen = False
                away = time.monotonic() - began
                self._say(f"{part.process.name} is back after {away:.1f} s")
                return

    def _say(self, line: str) -> None:
        """That nobody can be told is no reason to end: our part would end with us."""
        try:
            self._tell(line)
        except Exception:
            logger.exception("Could not be told: %s", line)

    def _break(self, part: Part, breaks: Breaks, why: str) -> float:
        """Seconds, and everybody is told why."""
        seconds = breaks.next()
        if seconds >= LONG_BREAK:
            part.be_away()
        if not self._ending.is_set():
            when = f" in {seconds:.1f} s" if seconds else ""
            self._say(f"{why}; it is started again{when}")
        return seconds


def _stop(part: Part) -> None:
    try:
        part.process.stop()
    except (OSError, TimeoutExpired) as error:  # it waits for a disk that does not answer
        logger.error("%s could not be ended: %s", part.process.name, error)


def _end_of(part: Part, status: int) -> str:
    said = part.process.complaint()
    return f"{part.process.name} ended unexpectedly (status {status}{': ' if said else ''}{said})"


def _reason(error: Exception) -> str:
    if not isinstance(error, StartFailed | OSError):
        logger.error("A part could not be started", exc_info=error)  # a fault of ours
    return str(error).rstrip(".")
