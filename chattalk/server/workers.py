"""The processes that serve the site, and their sockets."""

import errno
import ipaddress
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from chattalk.embedded import Process, StartFailed, quiet

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN = 60  # seconds
STOP_WITHIN = 20  # seconds; more than a worker takes for its people, its requests and its farewell
WAYS_OUT = {
    errno.EADDRINUSE: "stop what uses it, or choose another with --port",
    errno.EACCES: "Linux keeps the low ports, mostly those below 1024, for root; choose a higher "
    "one with --port, and put a proxy in front of it",
    errno.EADDRNOTAVAIL: "no network of this machine has that address; give another with --host",
}
FALLEN = "CHATTALK_FALLEN"  # in the environment of a worker that comes in place of one that fell
BACKLOG = 2048  # connections that wait to be accepted
RELIEVED = signal.SIGUSR1  # end, as by SIGTERM; a successor listens on the socket already


class WorkerProcess:
    """One process on one listening socket. The socket stays open while processes come and go: who
    comes between two of them waits in it. While one relieves another, both take from it."""

    def __init__(
        self,
        name: str,
        listener: socket.socket,
        environment: dict[str, str],
        log: Path | None = None,
        without: Iterable[str] = (),
    ) -> None:
        self.listener, self.environment = listener, environment
        without = {*without, "NOTIFY_SOCKET"}  # `up` itself says when all serve
        self.process = Process(name, [], folder=ROOT, log=log, without=without)
        self._successor: Process | None = None  # it is being started
        self._relieved: Process | None = None  # it is on its way out

    def start(self) -> None:
        self._ready = self._launch(self.process)

    def wait(self, show: Callable[[str], None] = quiet) -> None:
        """Until it answers."""
        _until_ready(self.process, self._ready)

    def relieve(self) -> Process:
        """Once a successor answers, it is the one that serves; the process before it comes back,
        to be ended. It stays, if its successor does not come up."""
        self._successor = successor = self.process.another()
        try:
            _until_ready(successor, self._launch(successor))
        except BaseException:
            successor.stop()
            raise
        else:
            self._relieved, self.process = self.process, successor
            self._relieved.stop_signal = RELIEVED
            return self._relieved
        finally:
            self._successor = None

    @property
    def running(self) -> list[Process]:
        """All that may run, the one that serves last."""
        return [one for one in (self._successor, self._relieved, self.process) if one is not None]

    def _launch(self, process: Process) -> int:
        """Where one reads whether it answers."""
        self.listener.listen(BACKLOG)
        ready, tell_ready = os.pipe()
        fds = (self.listener.fileno(), tell_ready)
        command = [sys.executable, "-m", "chattalk.server.worker"]
        process.command = [*command, "--fd", str(fds[0]), "--ready-fd", str(fds[1])]
        process.pass_fds = fds
        try:
            fallen = {FALLEN: "1"} if process.has_fallen else {}
            process.start(self.environment | fallen)
        except BaseException:
            os.close(ready)
            raise
        finally:
            os.close(tell_ready)
        return ready

    def be_away(self) -> None:
        """Nobody is kept waiting: the kernel deals to the other workers, or refuses where none is.
        The port stays ours."""
        with suppress(OSError):  # it does not listen
            self.listener.shutdown(socket.SHUT_RDWR)


def own(number: int, metrics_port: int) -> dict[str, str]:
    """The settings that only this worker has; `metrics_port` is that of `up`, or 0."""
    port = metrics_port and metrics_port + number
    return {"CHATTALK_WORKER": str(number), "METRICS_PORT": str(port)}


def _until_ready(process: Process, fd: int) -> None:
    """Until it answers. The pipe closes by itself when the process ends before that."""
    try:
        ready = select.poll()  # select() knows no descriptor over 1023
        ready.register(fd, select.POLLIN)
        readable = ready.poll(READY_WITHIN * 1000)
        if not readable or not os.read(fd, 1):
            what = f"was not ready in {READY_WITHIN} s"
            if readable:
                what = f"ended while it started (status {process.wait()})"
            raise StartFailed(f"{process.name} {what}: {process.last_words()}")
    finally:
        os.close(fd)


def is_loopback(host: str) -> bool:
    return ipaddress.ip_address(_resolve(host, 0)[1][0]).is_loopback


def reachable(host: str) -> str:
    """Where we reach ourselves: "all addresses" is none to connect to."""
    address = ipaddress.ip_address(_resolve(host, 0)[1][0])
    if not address.is_unspecified:
        return str(address)
    return "127.0.0.1" if address.version == 4 else "::1"


def listen(host: str, port: int, count: int) -> list[socket.socket]:
    """One socket for each worker on the same port; the kernel deals new connections out."""
    family, address = _resolve(host, port)
    with _bound(family, address, shared=False) as probe:  # SO_REUSEPORT would hide another server
        address = probe.getsockname()
    sockets = [_bound(family, address, shared=True) for _ in range(count)]
    for one in sockets:
        one.listen(BACKLOG)
    return sockets


def _resolve(host: str, port: int) -> tuple[int, tuple]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise StartFailed(f"--host {host} is no address of this machine ({error}).") from None
    return found[0][0], found[0][4]


def _bound(family: int, address: tuple, *, shared: bool) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        one.bind(address)
    except OSError as error:
        one.close()
        way_out = WAYS_OUT.get(error.errno or 0, "choose another with --port")
        raise StartFailed(
            f"Port {address[1]} on {address[0]} can't be used ({error.strerror}): {way_out}."
        ) from None
    return one
