"""PostgreSQL, Valkey and the MongoDB wire for a benchmark: those of `make run`, durable, on the
servers' core, each set-up with a database of its own."""

import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "var" / "bench"  # all that the benchmark installs, stores and logs
SERVER_CORE, LOAD_CORE = 0, 1


def on_core(core: int, command: list[str]) -> list[str]:
    return on_cores([core], command)


def on_cores(cores: Collection[int], command: list[str]) -> list[str]:
    return ["taskset", "-c", ",".join(map(str, cores)), *command]


@dataclass
class Servers:
    """The running stores. `pids` are the roots of their process trees."""

    postgres: str  # address of the server's maintenance database
    redis: str
    mongodb: str
    pids: dict[str, int]  # PostgreSQL, Valkey, MongoDB wire

    def database(self, name: str, *, fresh: bool = True) -> str:
        """The address of a database of that name, made anew."""
        with psycopg.connect(self.postgres, autocommit=True) as server:
            if fresh:
                server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            known = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if known.fetchone() is None:
                server.execute(f'CREATE DATABASE "{name}"')
        return self.postgres.replace("/chattalk?", f"/{name}?")


@contextmanager
def running(cores: Collection[int] = (SERVER_CORE,), workers: int = 1) -> Iterator[Servers]:
    """Start them, pinned to these cores, as durable as in production (fsync on), and with as many
    connections as that many workers are given. Raises StartFailed where another run has them."""
    sys.path.insert(0, str(ROOT))
    from chattalk import embedded

    with embedded.hold(HOME / "data"):
        yield from _running(embedded, cores, workers)


def _running(embedded: Any, cores: Collection[int], workers: int) -> Iterator[Servers]:
    before = os.sched_getaffinity(0)
    stores = embedded.Servers(HOME / "data", {}, workers=workers)
    try:
        os.sched_setaffinity(0, cores)  # what we start inherits it
        addresses = stores.start()
        os.sched_setaffinity(0, before)
        pids = {server.process.name: server.process.pid for server in stores.all.values()}
        yield Servers(
            addresses["DATABASE_URL"], addresses["REDIS_URL"], addresses["MONGODB_URL"], pids
        )
    finally:
        os.sched_setaffinity(0, before)
        stores.stop()


def pids(servers: Servers, *names: str) -> Collection[int]:
    return [servers.pids[name] for name in names]
