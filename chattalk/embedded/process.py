"""One child process: started tied to us, waited for, stopped in a bounded time."""

import copy
import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

from . import reasons

PARENT_DEATH = str(Path(__file__).with_name("parent_death.py"))
ANSWER_WITHIN = 30  # seconds, for a server that was started
STOP_WITHIN = 10  # seconds, before a server is killed
TELL_EVERY = 3.0  # seconds, between two lines for who waits
LOOK_EVERY = 0.02  # seconds, while waiting for the first answer
FULL = 64 * 1024  # bytes free, and less
SAID_MAX = 64_000  # bytes of a log that are looked at for a reason

Answer = TypeVar("Answer")


class StartFailed(ImproperlyConfigured):
    """One sentence: what did not come up, why, and the way out."""


class Retired(Exception):
    """It was to be started after all was to end."""


def quiet(line: str) -> None:
    """Nobody is shown how a wait goes."""


class Process:
    """Call `start` from a thread that outlives it: the tie is to the thread that started it."""

    def __init__(
        self,
        name: str,
        command: list[str],
        *,
        log: Path | None = None,  # None: where our own output goes
        folder: Path | None = None,
        user: str = "",
        stop_signal: signal.Signals = signal.SIGTERM,
        pass_fds: Iterable[int] = (),
        without: Iterable[str] = (),  # names of our environment that it does not get
    ) -> None:
        self.name, self.command, self.log, self.folder = name, command, log, folder
        self.user, self.stop_signal, self.pass_fds = user, stop_signal, tuple(pass_fds)
        self._without = frozenset(without)
        self._child: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()
        self._retired = threading.Event()
        self.has_fallen = False  # said by who keeps it, until it is back
        self.log_begins = 0  # bytes of the log that are of earlier runs

    def start(self, environment: dict[str, str] | None = None) -> None:
        with self._starting:
            if self._retired.is_set():
                raise Retired(self.name)
            self.log_begins = self.log.stat().st_size if self.log and self.log.exists() else 0
            self._spawn(environment)

    def retire(self) -> None:
        """From now on no thread starts it."""
        with self._starting:
            self._retired.set()

    def another(self) -> "Process":
        """The same command, not started yet; who retires one of the two retires both."""
        made = copy.copy(self)
        made._child = None
        return made

    def _spawn(self, environment: dict[str, str] | None) -> None:
        told = str(int(self.stop_signal)), str(os.getpid())  # how it ends, and with whom
        tied = [sys.executable, "-I", "-S", PARENT_DEATH, *told]
        output = self.log.open("ab") if self.log else None
        try:
            self._child = subprocess.Popen(
                [*tied, self.user, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                cwd=self.folder,
                env={**self._inherited(), **(environment or {})},
                start_new_session=True,  # Ctrl-C reaches us alone; we stop the others in order
                pass_fds=self.pass_fds,
            )
        finally:
            if output:
                output.close()

    def _inherited(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if name not in self._without}

    @property
    def pid(self) -> int:
        assert self._child, f"{self.name} was not started"
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def signal(self, number: signal.Signals) -> None:
        if self._child:
            self._child.send_signal(number)  # nothing to one that has ended

    def wait(self, seconds: float | None = ANSWER_WITHIN) -> int:
        assert self._child, f"{self.name} was not started"
        return self._child.wait(seconds)

    def stop(
        self,
        within: float = STOP_WITHIN,
        show: Callable[[str], None] = quiet,
        doing: str = "is ending",
    ) -> None:
        """Ask; after `within` seconds kill it and all that it started. Who waits for long is shown
        what it is doing, and how much time it has for that."""
        if not self.running:
            return
        self.signal(self.stop_signal)
        deadline = time.monotonic() + within
        while (left := deadline - time.monotonic()) > 0:
            try:
                self.wait(min(left, TELL_EVERY))
                return
            except subprocess.TimeoutExpired:
                show(f"{self.name} {doing}; it has {max(left - TELL_EVERY, 0):.0f} s more for that")
        os.killpg(self.pid, signal.SIGKILL)
        self.wait()

    def until(self, answers: Callable[[], Answer | None], within: float = ANSWER_WITHIN) -> Answer:
        """The first answer that is not None. A process that ends meanwhile is a failed start."""
        deadline = time.monotonic() + within
        while True:
            if (answer := answers()) is not None:
                return answer
            if not self.running:
                status = self.wait()
                raise StartFailed(
                    f"{self.name} did not come up (status {status}): {self.last_words()}"
                )
            if time.monotonic() > deadline:
                raise StartFailed(
                    f"{self.name} gave no answer within {within:g} s: {self.last_words()}"
                )
            time.sleep(LOOK_EVERY)

    def last_words(self) -> str:
        """Why, as far as its log says it, and where the log is."""
        if self.log is None:
            return "see its output above."
        return f"{reasons.last(self._said()) or self._silence()} (all of it: {self.log})"

    def _silence(self) -> str:
        """On a full disk its reasons are not written down either."""
        assert self.log
        is_full = shutil.disk_usage(self.log.parent).free < FULL
        return f"it said nothing{': ' + os.strerror(errno.ENOSPC) if is_full else ''}"

    def complaint(self) -> str:
        """What it said last that sounds like a reason; nothing if it said no such thing."""
        return reasons.complaint(self._said())

    def _said(self) -> list[str]:
        """Since its start, the end of it; nothing that can't be read."""
        try:
            return self._read() if self.log else []
        except OSError:
            return []

    def _read(self) -> list[str]:
        assert self.log
        with self.log.open("rb") as log:
            size = os.fstat(log.fileno()).st_size
            begins = self.log_begins if self.log_begins <= size else 0  # else it began anew
            log.seek(max(begins, size - SAID_MAX))
            return log.read().decode(errors="replace").splitlines()
