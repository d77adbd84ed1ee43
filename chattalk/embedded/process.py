"""One child process: started tied to us, waited for, stopped in a bounded time."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

TETHER = str(Path(__file__).with_name("tether.py"))
ANSWER_WITHIN = 30  # seconds, for a server that was started
STOP_WITHIN = 10  # seconds, before a server is killed
LOOK_EVERY = 0.02  # seconds, while waiting for the first answer

Answer = TypeVar("Answer")


class StartFailed(ImproperlyConfigured):
    """One sentence: what did not come up, why, and the way out."""


class Process:
    """Call `start` from the main thread: the tie is to the thread, and threads come and go."""

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
    ) -> None:
        self.name, self.command, self.log, self.folder = name, command, log, folder
        self.user, self.stop_signal, self.pass_fds = user, stop_signal, tuple(pass_fds)
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, environment: dict[str, str] | None = None) -> None:
        tether = [sys.executable, "-I", "-S", TETHER, str(int(self.stop_signal)), str(os.getpid())]
        output = self.log.open("ab") if self.log else None
        try:
            self._child = subprocess.Popen(
                [*tether, self.user, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                cwd=self.folder,
                env={**os.environ, **(environment or {})},
                start_new_session=True,  # Ctrl-C reaches us alone; we stop the others in order
                pass_fds=self.pass_fds,
            )
        finally:
            if output:
                output.close()

    @property
    def pid(self) -> int:
        assert self._child, f"{self.name} was not started"
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def signal(self, number: signal.Signals) -> None:
        if self.running:
            os.kill(self.pid, number)

    def wait(self, seconds: float | None = ANSWER_WITHIN) -> int:
        assert self._child, f"{self.name} was not started"
        return self._child.wait(seconds)

    def stop(self, within: float = STOP_WITHIN) -> None:
        """Ask; after `within` seconds kill it and all that it started."""
        if not self.running:
            return
        self.signal(self.stop_signal)
        try:
            self.wait(within)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self.wait()

    def until(self, answers: Callable[[], Answer | None], within: float = ANSWER_WITHIN) -> Answer:
        """The first answer that is not None. A process that ends meanwhile is a failed start."""
        deadline = time.monotonic() + within
        while True:
            if (answer := answers()) is not None:
                return answer
            if not self.running:
                raise StartFailed(f"{self.name} did not come up: {self.last_words()}")
            if time.monotonic() > deadline:
                raise StartFailed(
                    f"{self.name} gave no answer within {within:g} s: {self.last_words()}"
                )
            time.sleep(LOOK_EVERY)

    def last_words(self) -> str:
        """The last line of the log that tells why, and where the log is."""
        if self.log is None:
            return "see its output above."
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        complaints = [line for line in lines if "FATAL" in line or "rror" in line]
        said = (complaints or lines or ["it said nothing"])[-1].strip()
        return f"{said} (all of it: {self.log})"


def end_leftovers(folder: Path, program: str, stop_signal: signal.Signals) -> list[int]:
    """Stop what a crashed run left: processes of that program whose working folder is this one."""
    pids = [pid for pid in _pids() if _works_in(pid, folder) and program in _command_of(pid)]
    for pid in pids:
        _end(pid, stop_signal)
    return pids


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _works_in(pid: int, folder: Path) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/cwd") == str(folder)
    except OSError:  # it has ended, or is somebody else's
        return False


def _command_of(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return b" ".join(words[:3]).decode(errors="replace")


def _end(pid: int, stop_signal: signal.Signals) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(handle, stop_signal)
        if not select.select([handle], [], [], STOP_WITHIN)[0]:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            select.select([handle], [], [], STOP_WITHIN)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)
