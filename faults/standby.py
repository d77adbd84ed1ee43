"""A standby of the site's PostgreSQL, and the workers at an address that names both."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chattalk.embedded.postgres import Postgres
from faults.replicated import ask, follow, kill_family, make_folders
from faults.run import Run
from faults.site import DATABASE, HOME

WITHIN = 20.0  # seconds
STREAMS = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
IN_STEP = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
RECEIVES = "SELECT count(*) FROM pg_stat_wal_receiver"


class Pair:
    """`primary`: the site's own; `standby`: a copy of it that follows it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.primary: Postgres = run.site.stores["postgresql"]
        self.standby = Postgres(HOME / "standby")

    @property
    def address(self) -> str:
        hosts = f"{self.primary.sockets},{self.standby.sockets}"
        return f"postgresql://chattalk@/{DATABASE}?host={hosts}"

    def follow(self, *, in_step: bool) -> None:
        """`in_step`: nothing is acknowledged that the standby has not got."""
        shutil.rmtree(self.standby.data, ignore_errors=True)
        make_folders(self.standby.data)
        follow(self.primary.url("postgres"), self.standby)
        _until(self.primary, STREAMS, 1)
        if in_step:
            self._change(self.primary, "SET synchronous_standby_names = '*'")
            _until(self.primary, IN_STEP, 1)

    def hold_back(self) -> None:
        """From here on the standby gets nothing more."""
        self._run.nemesis.begin("held back", "standby")
        self._change(self.standby, "SET primary_conninfo = ''")
        _until(self.standby, RECEIVES, 0)

    def fail_over(self) -> None:
        """kill -9 of the primary; from here on the site is the standby's."""
        self._run.nemesis.begin("kill -9 and promote", "postgresql")
        kill_family(self.primary.process)
        assert ask(self.standby, "SELECT pg_promote()") == [(True,)]
        self._run.site.database = self.standby.url(DATABASE)
        self._run.nemesis.end("kill -9 and promote", "postgresql")

    def be_as_before(self, *, in_step: bool) -> None:
        self.standby.stop()
        if not self.primary.process.running:
            self.primary.start()
            self.primary.wait()
        if in_step:
            self._change(self.primary, "RESET synchronous_standby_names")
        self._run.site.database = self.primary.url(DATABASE)

    def _change(self, server: Postgres, setting: str) -> None:
        ask(server, f"ALTER SYSTEM {setting}")
        ask(server, "SELECT pg_reload_conf()")


@asynccontextmanager
async def followed(run: Run, *, in_step: bool) -> AsyncIterator[Pair]:
    pair = Pair(run)
    try:
        await asyncio.to_thread(pair.follow, in_step=in_step)
        for number in range(len(run.site.workers)):
            await run.site.restart_worker(number, DATABASE_URL=pair.address)
        yield pair
    finally:
        await asyncio.to_thread(pair.be_as_before, in_step=in_step)


def _until(server: Postgres, sql: str, many: int) -> None:
    deadline = time.monotonic() + WITHIN
    while ask(server, sql) != [(many,)]:
        assert time.monotonic() < deadline, f"{sql} is not {many}"
        time.sleep(0.05)
