"""A commit of this repository as a site of its own, served beside another on the same stores."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from bench.load import Invalid
from bench.ours import Ours
from bench.servers import HOME, ROOT, SERVER_CORE, Servers, on_core
from chattalk.server.workers import listen

BEFORE_HOMES = "0ece8aa"  # the build before rooms had homes
READY_WITHIN, STOP_WITHIN = 60, 60  # seconds


class Checkout(Ours):
    """A tree of files of ours, served by its own `manage.py up`."""

    def __init__(self, name: str, root: Path, number: int) -> None:
        super().__init__(number)
        self.name, self.root = name, root
        self._port = _free_port()  # the same in each repeat: who comes again finds it there

    def prepare(self, servers: Servers) -> None:
        data = HOME / "beside" / f"data-{self.number}"
        super().prepare(servers)
        self.environment |= {"CHATTALK_DATA": str(data)}

    @contextmanager
    def serving(self) -> Iterator[None]:
        command = [sys.executable, "manage.py", "up", "--port", str(self._port)]
        log = HOME / "log" / f"beside-{self.number}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self.up = subprocess.Popen(
                on_core(SERVER_CORE, command),
                cwd=self.root,
                env=os.environ | self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            self._wait(log)
            yield
        finally:
            self.up.send_signal(signal.SIGTERM)
            self.up.wait(STOP_WITHIN)

    def _wait(self, log: Path) -> None:
        until = time.monotonic() + READY_WITHIN
        while time.monotonic() < until and self.up.poll() is None:
            with suppress(OSError):
                asked = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
                asked.request("GET", "/readyz")
                if asked.getresponse().status == 200:
                    return
            time.sleep(0.1)  # between two questions
        raise Invalid(f"{self.name} does not serve: see {log}")

    @property
    def pids(self) -> list[int]:
        return [self.up.pid]

    @property
    def ports(self) -> list[int]:
        return [self._port]


@contextmanager
def beside(servers: Servers, commit: str) -> Iterator[list[Checkout]]:
    """This checkout and that commit, both serving."""
    sides = [Checkout("this", ROOT, 1), Checkout(commit, tree(commit), 2)]
    with ExitStack() as ends:
        for side in sides:
            side.prepare(servers)
            ends.enter_context(side.serving())
        yield sides


def tree(commit: str) -> Path:
    """The files of that commit, apart from this checkout."""
    known = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if not known.stdout:
        raise SystemExit(f"There is no commit {commit} in this repository.")
    path = HOME / "beside" / known.stdout.strip()
    if not path.exists():
        path.mkdir(parents=True)
        archive = subprocess.run(
            ["git", "archive", known.stdout.strip()], cwd=ROOT, capture_output=True, check=True
        )
        subprocess.run(["tar", "-x"], cwd=path, input=archive.stdout, check=True)
    return path


def _free_port() -> int:
    with listen("127.0.0.1", 0, 1)[0] as one:
        return one.getsockname()[1]
