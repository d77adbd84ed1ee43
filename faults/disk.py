"""A small disk under one store, and what fills it to the last byte. Only root can mount one."""

import asyncio
import errno
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from faults.run import Absent, Run

ROOM = 96 * 1024 * 1024  # bytes, beside what the store has already
TOLD_WITHIN = 60.0  # seconds


class SmallDisk:
    """The disk of one store in a run: first `mounted` under it, and then `full`."""

    def __init__(self, run: Run, store: str) -> None:
        self.run, self.store = run, store
        self.server: Any = run.site.stores[store]
        self.home: Path = self.server.home
        self.aside = self.home.with_suffix(".aside")

    @asynccontextmanager
    async def mounted(self) -> AsyncIterator["SmallDisk"]:
        """The store stops, is moved there, and starts again; the same way back at the end."""
        await asyncio.to_thread(_try_to_mount)
        await asyncio.to_thread(self._move, self._mount)
        try:
            yield self
        finally:
            await asyncio.to_thread(self._move, self._unmount)

    def _move(self, how: Callable[[], None]) -> None:
        self.server.process.stop()
        try:
            how()
        finally:  # later rows need the store, whatever this one could not do
            self.run.site.stores.proxies[self.store].reset()
            self.server.start()
            self.server.wait()

    def _mount(self) -> None:
        used = int(_do("du", "--summarize", "--bytes", str(self.home)).split()[0])
        self.home.rename(self.aside)
        self.home.mkdir()
        _mount_tmpfs(self.home, used + ROOM)
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


def _try_to_mount() -> None:
    """Before anything is stopped or moved: root in a container may not, either."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        raise Absent("only root mounts a small disk (tmpfs)")
    with tempfile.TemporaryDirectory() as folder:
        try:
            _mount_tmpfs(Path(folder), 1 << 20)
        except subprocess.CalledProcessError as error:
            raise Absent(f"no small disk here: {error.stderr.strip()}") from None
        _do("umount", folder)


def _mount_tmpfs(folder: Path, size: int) -> None:
    _do("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))


def _fill(ballast: Path) -> None:
    """Until nothing more goes in, not even a little."""
    for size in (1 << 16, 1 << 9):
        with ballast.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(size))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


def _ready(port: int) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def _do(*command: str) -> str:
    """What it says. Raises CalledProcessError."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
