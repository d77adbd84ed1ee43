"""NX-27017, which speaks MongoDB, from its wheel; mongo_wire_main.py is what runs."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

from . import data_dir, probe
from .leftovers import end_leftovers
from .process import Process, quiet

PROGRAM = Path(__file__).with_name("mongo_wire_main.py")


class MongoWire:
    def __init__(self, data: Path) -> None:
        self.data, self.home = data, data / "mongodb"
        self.socket = data_dir.socket_folder(data) / "mongodb.sock"
        command = [sys.executable, "-P", str(PROGRAM), str(self.home), str(self.socket)]
        log = data / "log" / "mongodb.log"
        self.process = Process("MongoDB wire", command, log=log, folder=self.home)

    def url(self) -> str:
        return data_dir.mongodb_url(self.data)

    def start(self, show: Callable[[str], None] = quiet) -> None:
        end_leftovers(self.home, str(PROGRAM), signal.SIGTERM, show=show)
        data_dir.make_folder(self.home, 0o700)
        self.socket.unlink(missing_ok=True)
        self.process.start()

    def wait(self, show: Callable[[str], None] = quiet) -> None:
        self.process.until(lambda: None if probe.mongodb(self.url()) else True)

    def stop(self, show: Callable[[str], None] = quiet) -> None:
        self.process.stop(show=show)

    def be_away(self) -> None:
        """Nothing to do: its socket tells who asks."""
