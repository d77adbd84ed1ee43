"""A small disk under one store, and what fills it to the last byte. Only root can mount one."""

import asyncio
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from faults.run import Absent, Run

ROOM = 96 * 1024 * 1024  # bytes, beside what the store has already
TOLD_WITHIN = 60.0  # seconds


class SmallDisk:
    def __init__(self, run: Run, store: str) -> None:
        self.run, self.store = run, store
        self.server: Any = run.site.stores[store]
        self.home: Path = self.server.home
        self.aside = self.home.with_suffix(".aside")

    @asynccontextmanager
    async def mounted(self) -> AsyncIterator["SmallDisk"]:
        """The store stops, is moved there, and starts again; the same way back at the end."""
        if os.geteuid() != 0 or not shutil.which("mount"):
            raise Absent("only root mounts a small disk (tmpfs)")
        await asyncio.to_thread(self._move, self._mount)
        try:
            yield self
        finally:
            await asyncio.to_thread(self._move, self._unmount)

    def _move(self, how: Any) -> None:
        self.server.process.stop()
        how()
        self.run.site.stores.proxies[self.store].reset()
        self.server.start()
        self.server.wait()

    def _mount(self) -> None:
        used = int(_do("du", "--summarize", "--bytes", str(self.home)).split()[0])
        self.home.rename(self.aside)
        self.home.mkdir()
        size = f"size={used + ROOM}"
        _do("mount", "-t", "tmpfs", "-o", size, "tmpfs", str(self.home))
        _do("cp", "--archive", f"{self.aside}/.", str(self.home))

    def _unmount(self) -> None:
        shutil.rmtree(self.aside)
        _do("cp", "--archive", str(self.home), str(self.aside))
        _do("umount", str(self.home))
        self.home.rmdir()
        self.aside.rename(self.home)

    @asynccontextmanager
    async def full(self) -> AsyncIterator[None]:
        """Until the end; a store that ended for want of room is started again then."""
        ballast = self.home / "ballast"
        self.run.nemesis.begin("full disk", self.store)
        await asyncio.to_thread(_fill, ballast)
        try:
            yield
        finally:
            ballast.unlink()
            if not self.server.process.running:
                self.server.start()
                await asyncio.to_thread(self.server.wait)
            self.run.nemesis.end("full disk", self.store)

    async def told(self) -> float:
        """Seconds until each worker says at /readyz that the store does not do its part."""
        began = time.monotonic()
        while not await asyncio.to_thread(self._is_told):
            if time.monotonic() - began > TOLD_WITHIN:
                break
            await asyncio.sleep(0.1)
        return time.monotonic() - began

    def _is_told(self) -> bool:
        said = [_ready(port) for port in self.run.site.ports]
        self.run.note("why", sorted({one["why"].get(self.store, "") for one in said}))
        return all(one["stores"][self.store] != "ok" for one in said)


def _fill(ballast: Path) -> None:
    for size in (1 << 16, 1 << 9):
        with ballast.open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(size))


def _ready(port: int) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def _do(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Absent(f"no small disk here: {done.stderr.strip()}")
    return done.stdout
