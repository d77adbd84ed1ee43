"""New code and settings for a site that runs: each worker in turn has a successor on its listening
socket, and ends once that one answers.

What can't serve is found before anything is touched (chattalk/prepare.py), or by the first
successor that does not come up; then the worker that was there stays, and the rest, too.
"""

import sys
import threading
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
        except Retired:  # all is to end
            return False
        finally:
            self._turn.release()

    def _run(self, say: Show) -> bool:
        say("Reload: the new version is looked at")
        if reason := self._unfit(say):
            say(f"Nothing was changed: {reason}")
            return False
        for number, worker in enumerate(self._workers):
            try:
                before = self._supervisor.relieve(worker)
            except StartFailed as error:
                say(self._told_of(error, number))
                return False
            _end(before, say)
            say(f"{worker.process.name} is a new one")
        say("All workers are new ones")
        return True

    def _unfit(self, say: Show) -> str:
        """Why the new version can't serve; nothing if it can."""
        assert self._prepare.log
        self._prepare.log.unlink(missing_ok=True)
        self._prepare.start(self._environment)
        status = self._prepare.wait(None)
        lines = self._prepare.log.read_text(errors="replace").splitlines()
        if status:
            return lines[-1] if lines else f"it ended with status {status}"
        for line in lines:
            say(line)
        return ""

    def _told_of(self, error: StartFailed, number: int) -> str:
        new = "no worker is" if not number else "1 worker is" if number == 1 else f"{number} are"
        return f"{str(error).rstrip('.')}. The one before it stays, and {new} new"


def _end(before: Process, say: Show) -> None:
    try:
        before.stop(STOP_WITHIN, say, "says goodbye to its people")
    except (OSError, TimeoutExpired) as error:
        say(f"{before.name}, the one before, could not be ended: {error}")


def prepare(host: str, log: Path, without: Iterable[str]) -> Process:
    command = [sys.executable, "-m", "chattalk.prepare", "--host", host]
    return Process("reload", command, log=log, folder=ROOT, without=without)
