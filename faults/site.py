"""What the faults happen to: real stores and real worker processes, each known by its pid.

As in production (no DEBUG, every limit in place, durable), but for the numbers of the rate limits:
one machine plays all the people. Between the workers and each store, and for those who want it
between the clients and each worker, stands a proxy.
"""

import asyncio
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg

from bench import ours
from bench import people as crowds
from bench.ours import Ours, Person
from bench.servers import Servers
from faults.proxy import Proxy

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "var" / "faults"  # stores, logs, histories
DATABASE = "chattalk"
WORKERS = 2
STORES = {"postgresql": "DATABASE_URL", "redis": "REDIS_URL", "mongodb": "MONGODB_URL"}


class Stores:
    """PostgreSQL, Valkey and the MongoDB wire, and a proxy in front of each."""

    def __init__(self) -> None:
        from chattalk.embedded import Servers

        self._servers = Servers(HOME / "data", {})
        self.proxies: dict[str, Proxy] = {}

    async def start(self) -> None:
        self._servers.start()
        self.direct = {name: self._servers.all[key].url() for name, key in STORES.items()}
        for name in STORES:
            self.proxies[name] = Proxy(partial(self._reach, name))
            await self.proxies[name].start()

    async def _reach(self, name: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        url = urlsplit(self._servers.all[STORES[name]].url())
        if name == "postgresql":
            folder = unquote(url.query.removeprefix("host="))
            return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")
        path = url.path if name == "redis" else url.netloc
        return await asyncio.open_unix_connection(unquote(path))

    def __getitem__(self, name: str) -> Any:
        """The server: its `process`, `start`, `wait`."""
        return self._servers.all[STORES[name]]

    @property
    def addresses(self) -> dict[str, str]:
        """For the workers: through the proxies."""
        port = {name: proxy.port for name, proxy in self.proxies.items()}
        return {
            "DATABASE_URL": f"postgresql://chattalk@127.0.0.1:{port['postgresql']}/{DATABASE}",
            "REDIS_URL": f"redis://127.0.0.1:{port['redis']}/0",
            "MONGODB_URL": f"mongodb://127.0.0.1:{port['mongodb']}/chattalk",
        }

    async def stop(self) -> None:
        for proxy in self.proxies.values():
            await proxy.stop()
        self._servers.stop()


class Site(Ours):
    """Workers on ports of their own, and doors: proxies before them."""

    def __init__(self) -> None:
        super().__init__()
        self.stores: Stores = Stores()  # type: ignore[assignment]  # there, their names only
        self.front = Proxy(self._reach_any)
        self.doors: list[Proxy] = []
        self._turn = 0
        self._people: list[Person] = []
        self._logged: dict[Path, int] = {}  # bytes of each log that were looked at

    async def start(self) -> None:  # type: ignore[override]
        from chattalk.server.workers import WorkerProcess, listen

        HOME.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(HOME / "data" / "mongodb", ignore_errors=True)  # of an earlier run
        await self.stores.start()
        self.database = self.stores.direct["postgresql"]
        self._make_database()
        addresses = self.stores.addresses
        before = Servers("", addresses["REDIS_URL"], addresses["MONGODB_URL"], {})
        usual = ours.environment(before, self.database)
        usual |= addresses | {"CHATTALK_DATA": str(HOME / "data")}
        self.environment = usual
        await asyncio.to_thread(self.manage, "migrate", "--verbosity", "0")  # our loop is its proxy
        for number in range(WORKERS):
            log = HOME / "data" / "log" / f"worker-{number}.log"
            listener = listen("127.0.0.1", 0, 1)[0]
            self.workers.append(WorkerProcess(f"worker {number}", listener, dict(usual), log))
            self.workers[number].start()
            self.doors.append(Proxy(partial(self._reach, number)))
            await self.doors[number].start()
        await self.front.start()
        for number in range(WORKERS):
            await asyncio.to_thread(self.wait_for, number)

    def _make_database(self) -> None:
        """Anew: what an earlier run left could be its own faults."""
        with psycopg.connect(self.stores["postgresql"].url("postgres"), autocommit=True) as server:
            server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {DATABASE}")

    async def _reach(self, number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.ports[number])

    async def _reach_any(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """As a balancer that knows who runs: one after the other."""
        running = [number for number, one in enumerate(self.workers) if one.process.running]
        self._turn += 1
        return await self._reach(running[self._turn % len(running)])

    @property
    def door_ports(self) -> list[int]:
        return [door.port for door in self.doors]

    def start_worker(self, number: int) -> None:
        self.workers[number].start()

    async def restart_worker(self, number: int, **environment: str) -> None:
        """On the same port, orderly; with more in its environment until the next restart."""
        worker = self.workers[number]
        await asyncio.to_thread(worker.process.stop)
        worker.environment = self.environment | environment
        worker.start()
        await asyncio.to_thread(worker.wait)

    async def mend(self) -> None:
        """All is as it was in the beginning, whatever a scenario did to it."""
        for proxy in (*self.stores.proxies.values(), *self.doors, self.front):
            proxy.mend()
        for number, worker in enumerate(self.workers):
            if worker.process.running:
                worker.process.signal(signal.SIGCONT)  # one may have been left standing
            if not worker.process.running or worker.environment != self.environment:
                await self.restart_worker(number)

    async def stop(self) -> None:  # type: ignore[override]
        for door in (*self.doors, self.front):
            await door.stop()
        for worker in self.workers:  # not in our loop, which is their way to the stores
            await asyncio.to_thread(worker.process.stop)
            worker.listener.close()
        await self.stores.stop()

    # --- people ---------------------------------------------------------------------------------

    def take(self, count: int) -> list[Person]:
        """People who are signed in. Rooms are new for each scenario, people need not be."""
        if count > len(self._people):
            self._people += self.people(max(count - len(self._people), 100))
        return self._people[:count]

    def sessions(self, person: Person, count: int) -> list[Person]:
        """The same one at so many more devices."""
        printed = self.manage("shell", "--no-imports", text=ours.SIGN_IN % [person.id] * count)
        return [Person(person.id, session) for session in printed.split()]

    def empty_room(self, owner: Person, capacity: int) -> int:
        with psycopg.connect(self.database, autocommit=True) as database:
            return crowds.rooms(database, owner.id, 1, capacity)[0]

    # --- what the database and the logs say ---------------------------------------------------

    def rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database) as database:
            return database.execute(sql, params or None).fetchall()

    def change(self, sql: str) -> None:
        """By somebody who may do all: the administrator of the database."""
        with psycopg.connect(self.database, autocommit=True) as database:
            database.execute(sql)

    def said(self) -> str:
        """What the workers logged since this was asked the last time."""
        said = []
        for worker in self.workers:
            path = worker.process.log
            with path.open("rb") as log:
                log.seek(self._logged.get(path, 0))
                said.append(log.read().decode(errors="replace"))
                self._logged[path] = log.tell()
        return "".join(said)


@asynccontextmanager
async def running() -> AsyncIterator[Site]:
    sys.path.insert(0, str(ROOT))
    site = Site()
    try:
        await site.start()
        yield site
    finally:
        await site.stop()
