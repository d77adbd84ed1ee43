"""New code and settings for a site that runs: each worker in turn has a successor on its listening
socket, and ends once that one answers.

What can't serve is found before anything is touched (chattalk/prepare.py), or by the first
successor that does not come up; then the worker that was there stays, and the rest, too.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from subprocess import TimeoutExpired

from chattalk.embedded import Process, Retired, StartFailed
from chattalk.server.supervisor import Supervisor
from chattalk.server.workers import ROOT, STOP_WITHIN, WorkerProcess

UNDER_WAY = "A reload is under way already: ask again after it"

Show = Callable[[str], None]


class Reload:
    """`run` is called by any thread, and takes as long as it takes."""

    def __init__(
        self,
        supervisor: Supervisor,
        workers: list[WorkerProcess],
        prepare: Process,
        environment: dict[str, str],
        show: Show,
    ) -> None:
        self._supervisor, self._workers, self._show = supervisor, workers, show
        self._prepare, self._environment = prepare, environment
        self._turn = threading.Lock()

    def run(self, tell: Show) -> bool:
        """Whether all workers are new ones now; `tell` is told what ours are shown."""

        def say(line: str) -> None:
            self._show(line)
            tell(line)

        if not self._turn.acquire(blocking=False):
            say(UNDER_WAY)
            return False
        try:
            return self._run(say)
        except Retired:
            say("The reload ends here, for all is to end")
            return False
        finally:
            self._turn.release()

    def _run(self, say: Show) -> bool:
        began = time.monotonic()
        say("Reload: the new version is tried, beside the one that serves")
        if reason := self._unfit(say):
            say(f"Nothing was changed: {reason}")
            return False
        for number, worker in enumerate(self._workers):
            say(f"{worker.process.name}: its successor starts")
            try:
                before = self._supervisor.relieve(worker)
            except (StartFailed, OSError) as error:
                why = str(error).rstrip(".")
                say(f"{why}. The reload ends here: the one before it stays, and {_new(number)}")
                return False
            say(f"{worker.process.name}: its successor serves, and the one before says goodbye")
            _end(before, say)
        say(f"The reload is done after {time.monotonic() - began:.1f} s: {_new(number + 1)}")
        return True

    def _unfit(self, say: Show) -> str:
        """Why the new version can't serve; nothing if it can."""
        assert self._prepare.log
        try:
            self._prepare.log.unlink(missing_ok=True)
            self._prepare.start(self._environment)
            status = self._prepare.wait(None)
            lines = self._prepare.log.read_text(errors="replace").splitlines()
        except OSError as error:
            return str(error)
        if status:
            return lines[-1] if lines else f"it ended with status {status}"
        for line in lines:
            say(line)
        return ""


def _new(workers: int) -> str:
    if workers == 1:
        return "1 worker is a new one"
    return f"{workers or 'no'} workers are new ones"


def _end(before: Process, say: Show) -> None:
    try:
        before.stop(STOP_WITHIN, say, "says goodbye to its people")
    except (OSError, TimeoutExpired) as error:
        say(f"{before.name}, the one before, could not be ended: {error}")


def prepare(host: str, log: Path, without: Iterable[str]) -> Process:
    command = [sys.executable, "-m", "chattalk.prepare", "--host", host]
    return Process("reload", command, log=log, folder=ROOT, without=without)
