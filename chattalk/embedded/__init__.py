"""The servers that come in wheels, for `manage.py up` and for the tests.

Each runs as a direct child that dies with us, in a folder of its own under the data folder. What
listens where is told to other processes by `run/servers.json` while the servers run.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from . import data_dir, logs, shares
from .address import check as check_address
from .address import django_database
from .data_dir import hold, replace_secret_key, running_servers, secret_key
from .mongo_wire import MongoWire
from .postgres import Postgres
from .probe import NAMES as STORES
from .probe import expect_answer, given
from .process import Process, Retired, StartFailed, quiet
from .shares import expect_limits, share
from .valkey import Valkey

__all__ = ["STORES", "Process", "Retired", "Servers", "StartFailed", "addresses", "quiet"]
__all__ += ["check_address", "django_database", "expect_answer", "expect_limits", "given", "hold"]
__all__ += ["replace_secret_key", "running_servers", "secret_key", "share"]


def addresses(data: Path) -> dict[str, str]:
    """Where the embedded servers are, or would be: settings can be read while none runs."""
    would_be = {
        "DATABASE_URL": data_dir.postgres_url(data, data_dir.OWNER),
        "REDIS_URL": data_dir.valkey_url(data),
        "MONGODB_URL": data_dir.mongodb_url(data),
    }
    return would_be | running_servers(data)


class Servers:
    """Those of the three for which no address was given."""

    def __init__(
        self, data: Path, given: Mapping[str, str], durable: bool = True, workers: int = 1
    ) -> None:
        self.data, self.given, self._durable = data, dict(given), durable
        self._connections = shares.wanted(workers)
        self.all: dict[str, Postgres | Valkey | MongoWire] = {}
        self._rotation: logs.Rotation | None = None

    def start(self, show: Callable[[str], None] = quiet) -> dict[str, str]:
        """All at once, then wait for each; the addresses of all three, given ones too."""
        self._prepare()
        for name, url in self.given.items():
            expect_answer(name, url, show)
            show(f"{name} answers")
        for server in self.all.values():
            server.start(show)
        for server in self.all.values():
            server.wait(show)
            show(f"{server.process.name} answers")
        self._tell_opened(show)
        addresses = self.given | {name: server.url() for name, server in self.all.items()}
        data_dir.tell_addresses(self.data, addresses)
        return addresses

    def _prepare(self) -> None:
        data_dir.make_folder(self.data, 0o755)
        data_dir.clear_run(self.data)
        data_dir.make_folder(self.data / "run", 0o711)
        data_dir.make_folder(self.data / "log", 0o700)
        data_dir.make_socket_folder(self.data)
        if "MONGODB_URL" not in self.given:
            self.all["MONGODB_URL"] = MongoWire(self.data)
        if "REDIS_URL" not in self.given:
            self.all["REDIS_URL"] = Valkey(self.data)
        if "DATABASE_URL" not in self.given:
            self.all["DATABASE_URL"] = Postgres(self.data, self._durable, self._connections)
        own = [server.process.log for server in self.all.values() if server.process.log]
        for log in own:
            logs.shorten(log)
        self._rotation = logs.Rotation(own)
        self._rotation.start()

    def _tell_opened(self, show: Callable[[str], None]) -> None:
        database = self.all.get("DATABASE_URL")
        if isinstance(database, Postgres) and database.opened:
            names = ", ".join(str(path) for path in database.opened)
            show(f"PostgreSQL runs as {database.user}, not as root: it may now pass {names}")

    def stop(self, show: Callable[[str], None] = quiet) -> None:
        """In order: presence, cache, and last the one that keeps what was promised."""
        for server in self.all.values():
            server.stop(show)
        if self._rotation:
            self._rotation.stop()
        data_dir.clear_run(self.data)
