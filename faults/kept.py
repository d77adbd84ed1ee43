"""The site's own supervisor at work: who is killed comes back by it, and not by the harness."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from faults.site import HOME, STORES

if TYPE_CHECKING:
    from faults.run import Run

BACK_WITHIN = 90.0  # seconds, on a machine that is busy with all of this
LOOK_EVERY = 0.01  # seconds


class Kept:
    """Its parts by name: worker 0, worker 1, postgresql, redis, mongodb."""

    def __init__(self, run: "Run", parts: dict[str, Any]) -> None:
        from chattalk.server.supervisor import Supervisor

        self._run, self.parts = run, parts
        self.told: list[str] = []
        self.supervisor = Supervisor(parts.values(), self.told.append)

    async def reload(self) -> bool:
        """As `manage.py up --reload` does it; whether all workers are new ones then."""
        from chattalk.embedded import quiet
        from chattalk.server import reload

        workers = self._run.site.workers
        own = {k: v for k, v in workers[0].environment.items() if k not in STORES.values()}
        looked_at = reload.prepare("127.0.0.1", HOME / "data" / "log" / "reload.log", ())
        made = reload.Reload(self.supervisor, workers, looked_at, own, self.told.append)
        return await asyncio.to_thread(made.run, quiet)

    async def kill_twice(self, name: str, pause: float) -> None:
        """kill -9, and again of its successor, so long after that was started. The fault is over
        when the one after it answers."""
        process, nemesis = self.parts[name].process, self._run.nemesis
        nemesis.begin("kill -9, twice", name)
        first = self._kill(name)
        await self._until(lambda: process.pid != first)
        await asyncio.sleep(pause)
        begins = len(self.told)
        self._kill(name)
        await self.back(name, begins)
        nemesis.end("kill -9, twice", name)

    def _kill(self, name: str) -> int:
        pid = self.parts[name].process.pid
        os.kill(pid, signal.SIGKILL)
        return int(pid)

    async def back(self, name: str, begins: int = 0) -> None:
        """Until it says so, of what was told from there on."""
        text = f"{self.parts[name].process.name} is back"
        await self._until(lambda: any(line.startswith(text) for line in self.told[begins:]))

    async def tells(self, text: str) -> None:
        await self._until(lambda: any(text in line for line in self.told))

    async def _until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(BACK_WITHIN):
            while not is_so():
                await asyncio.sleep(LOOK_EVERY)

    def ended(self) -> set[str]:
        """Those that were seen to end."""
        return {line.split(" ended")[0] for line in self.told if " ended unexpectedly" in line}


@asynccontextmanager
async def kept(run: "Run") -> AsyncIterator[Kept]:
    """All parts of the site, until the block ends."""
    site = run.site
    parts = {worker.process.name: worker for worker in site.workers}
    parts |= {name: site.stores[name] for name in ("postgresql", "redis", "mongodb")}
    found = Kept(run, parts)
    found.supervisor.start()
    try:
        yield found
    finally:
        found.supervisor.let_go()
        run.note("told", [line.replace(str(HOME), "var/faults") for line in found.told])
