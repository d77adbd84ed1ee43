"""What peers of one process share: the servers' core, a free port, a log, and a bounded end."""

import resource
import shutil
import socket

from bench.peers import Absent
from bench.servers import HOME, ROOT, SERVER_CORE, on_cores
from chattalk.embedded import Process


def tool(name: str) -> str:
    """The path of a program that has to be here already."""
    if (path := shutil.which(name)) is None:
        raise Absent(f"{name} is not installed")
    return path


class Child:
    """A peer that is one program, listening on a port of 127.0.0.1."""

    name = ""
    port = 0
    cores: tuple[int, ...] = (SERVER_CORE,)
    _process: Process | None = None

    def _run(self, command: list[str], environment: dict[str, str]) -> None:
        """On its cores, until `stop` or our own end; returns when it listens."""
        log = HOME / "log" / f"{type(self).__name__.lower()}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        _allow_many_sockets()
        first, *rest = on_cores(self.cores, command)
        self._process = Process(self.name, [tool(first), *rest], log=log, folder=ROOT)
        self._process.start(environment)
        self._process.until(self._listens)

    def _listens(self) -> bool | None:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return None
        return True

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None

    @property
    def pids(self) -> list[int]:
        return [self._process.pid] if self._process is not None else []


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _allow_many_sockets() -> None:
    """What we start inherits it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
