"""What goes wrong, and when: each fault by name, from its beginning to its end, in the history."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
import redis.asyncio

from faults.history import History
from faults.proxy import Proxy
from faults.site import Site

FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT  # PostgreSQL's ways to stop
END_ONE = """
SELECT pg_terminate_backend(pid, 1000) FROM (
    SELECT pid FROM pg_stat_activity
    WHERE application_name = 'chattalk' ORDER BY backend_start LIMIT 1
) oldest"""


class Nemesis:
    def __init__(self, site: Site, history: History) -> None:
        self.site, self.history = site, history
        self.count = 0

    def begin(self, fault: str, note: str = "") -> None:
        self.count += 1
        self.history.add("nemesis", "fault", "begin", note=f"{fault} {note}".strip())

    def end(self, fault: str, note: str = "") -> None:
        self.history.add("nemesis", "fault", "end", note=f"{fault} {note}".strip())

    def reset(self, *proxies: Proxy) -> None:
        """All lines through them at once; the fault is over as it begins."""
        self.begin("reset")
        for proxy in proxies:
            proxy.reset()
        self.end("reset")

    def half_close(self, *proxies: Proxy) -> None:
        """All lines through them: the server hears that nothing more comes, the client nothing."""
        self.begin("half-close")
        for proxy in proxies:
            proxy.half_close()
        self.end("half-close")

    # --- workers ------------------------------------------------------------------------------

    async def kill_worker(self, number: int, away: float = 0.0) -> None:
        """kill -9; it is started again `away` seconds later. The fault is over at once: the others
        are there, and what counts is how soon they have taken over."""
        worker = self.site.workers[number]
        self.begin("kill -9", worker.process.name)
        worker.process.signal(signal.SIGKILL)
        worker.process.wait()
        self.end("kill -9", worker.process.name)
        await asyncio.sleep(away)
        await self.start_worker(number)

    async def start_worker(self, number: int) -> None:
        worker = self.site.workers[number]
        worker.start()
        await asyncio.to_thread(worker.wait)

    async def deploy(self, number: int) -> None:
        """An orderly restart."""
        name = self.site.workers[number].process.name
        self.begin("SIGTERM", name)
        await asyncio.to_thread(self.site.workers[number].process.stop)
        await self.start_worker(number)
        self.end("SIGTERM", name)

    @asynccontextmanager
    async def still(self, *pids: int, name: str) -> AsyncIterator[None]:
        """SIGSTOP, and SIGCONT at the end: no time for it on this machine."""
        self.begin("SIGSTOP", name)
        _signal(pids, signal.SIGSTOP)
        try:
            yield
        finally:
            _signal(pids, signal.SIGCONT)
            self.end("SIGSTOP", name)

    # --- stores ---------------------------------------------------------------------------------

    def pids(self, store: str) -> list[int]:
        """Of its processes, the first one first."""
        return family(self.site.stores[store].process.pid)

    @asynccontextmanager
    async def without(
        self, store: str, how: signal.Signals = signal.SIGKILL
    ) -> AsyncIterator[None]:
        """Stop it that way; it is started again at the end. Redis comes back empty."""
        server = self.site.stores[store]
        self.begin(f"{how.name} and restart", store)
        children = family(server.process.pid)[1:]
        server.process.signal(how)
        await asyncio.to_thread(server.process.wait)
        if how == signal.SIGKILL:
            _signal(children, how)
        self.site.stores.proxies[store].reset()
        try:
            yield
        finally:
            server.start()
            await asyncio.to_thread(server.wait)
            self.end(f"{how.name} and restart", store)

    async def redis(self, *command: str) -> Any:
        """One command of an administrator: FLUSHALL, CONFIG SET …"""
        client = redis.asyncio.from_url(self.site.stores.direct["redis"])
        try:
            return await client.execute_command(*command)
        finally:
            await client.aclose()

    async def flush(self) -> None:
        self.begin("FLUSHALL", "redis")
        await self.redis("FLUSHALL")
        self.end("FLUSHALL", "redis")

    @asynccontextmanager
    async def holding(self, room: int) -> AsyncIterator[None]:
        """Somebody else has the room's row, and takes their time."""
        connection = await psycopg.AsyncConnection.connect(self.site.database)
        async with connection:
            self.begin("row lock", str(room))
            await connection.execute("SELECT 1 FROM rooms_room WHERE id = %s FOR UPDATE", (room,))
            try:
                yield
            finally:
                self.end("row lock", str(room))

    async def deadlock(self, room: int) -> None:
        """Seats first and the room after them: the other way round than ChatTalk takes them.
        PostgreSQL ends one of the two."""
        connection = await psycopg.AsyncConnection.connect(self.site.database)
        self.begin("deadlock", str(room))
        with suppress(psycopg.errors.DeadlockDetected):
            async with connection:
                for table, key in (("rooms_membership", "room_id"), ("rooms_room", "id")):
                    lock = f"SELECT 1 FROM {table} WHERE {key} = {room} FOR UPDATE"
                    await connection.execute(cast(LiteralString, lock))
                    await asyncio.sleep(0.05)
        self.end("deadlock", str(room))

    async def terminate(self, dice: random.Random) -> None:
        """A connection of a worker, whichever; what it was doing is undone."""
        asked = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
        asked += " AND datname = current_database() AND pid <> pg_backend_pid() ORDER BY pid"
        pids = [pid for (pid,) in await asyncio.to_thread(self.site.rows, asked)]
        if pids:
            self.begin("terminate", "postgresql")
            end = f"SELECT pg_terminate_backend({dice.choice(pids)})"
            await asyncio.to_thread(self.site.change, end)
            self.end("terminate", "postgresql")

    @asynccontextmanager
    async def postgres_with(self, setting: str, value: str, usual: str) -> AsyncIterator[None]:
        """ALTER SYSTEM and reload, back at the end."""
        self.begin(f"{setting}={value}", "postgresql")
        await asyncio.to_thread(self._set, setting, value)
        try:
            yield
        finally:
            await asyncio.to_thread(self._set, setting, usual)
            self.end(f"{setting}={value}", "postgresql")

    @asynccontextmanager
    async def no_connections(self) -> AsyncIterator[None]:
        """Somebody else has them all, and the workers' own are ended."""
        self.begin("max_connections", "postgresql")
        taken = await asyncio.to_thread(self._take_connections)
        try:
            yield
        finally:
            await asyncio.to_thread(_close, taken)
            self.end("max_connections", "postgresql")

    def _take_connections(self) -> list[psycopg.Connection]:
        """First what is free, then what the workers have, one by one before they ask again."""
        taken: list[psycopg.Connection] = []
        self._take_free(taken)
        while taken[0].execute(END_ONE).fetchone():
            self._take_free(taken)
        return taken

    def _take_free(self, taken: list[psycopg.Connection]) -> None:
        with suppress(psycopg.OperationalError):
            while True:
                taken.append(psycopg.connect(self.site.database, autocommit=True))

    def _set(self, setting: str, value: str) -> None:
        self.site.change(f"ALTER SYSTEM SET {setting} = '{value}'")
        self.site.change("SELECT pg_reload_conf()")


def family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for one in found:
        with suppress(OSError):
            children = Path(f"/proc/{one}/task/{one}/children").read_text()
            found += map(int, children.split())
    return found


def _close(taken: Iterable[psycopg.Connection]) -> None:
    for one in taken:
        one.close()


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
