"""What Linux says of a process: its memory, its connections, its work."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

LOOK_EVERY = 0.05  # seconds
TICKS = os.sysconf("SC_CLK_TCK")  # a second
ESTABLISHED = {"01", "08"}  # and CLOSE_WAIT: the other side has ended it, and we have not
SATURATED = 0.95  # of a core


def memory(pid: int) -> float:
    """MiB."""
    return _told(pid, "VmRSS:")


def most_memory(pid: int) -> float:
    """MiB, at its highest since `forget_most`: between two looks at it, too."""
    return _told(pid, "VmHWM:")


def forget_most(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _told(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    raise OSError(f"{pid} has no memory")


def work(pid: int) -> float:
    """Seconds of a core so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def connections(pid: int, port: int) -> int:
    """How many descriptors it holds of connections that came to that port."""
    inodes = set()
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rpartition(":")[2], 16) == port and fields[3] in ESTABLISHED:
            inodes.add(f"socket:[{fields[9]}]")
    return sum(link in inodes for link in _descriptors(pid))


def _descriptors(pid: int) -> list[str]:
    links = []
    for entry in os.scandir(f"/proc/{pid}/fd"):
        try:
            links.append(os.readlink(entry.path))
        except OSError:  # closed while we looked
            continue
    return links


def descriptors(pid: int) -> int:
    return len(_descriptors(pid))


class Watched:
    """How it went while it was looked at."""

    def __init__(self) -> None:
        self.most_memory = 0.0  # MiB
        self.saturated = 0.0  # seconds in which it used a core up


@asynccontextmanager
async def watched(*pids: int) -> AsyncIterator[dict[int, Watched]]:
    """All of them, until the block ends; one that dies is looked at no more."""
    found = {pid: Watched() for pid in pids}
    tasks = [asyncio.create_task(_watch(pid, one)) for pid, one in found.items()]
    try:
        yield found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _watch(pid: int, one: Watched) -> None:
    looked_at, worked = time.monotonic(), work(pid)
    while True:
        one.most_memory = max(one.most_memory, memory(pid))
        await asyncio.sleep(LOOK_EVERY)
        if (now := time.monotonic()) - looked_at >= 1:
            done = work(pid)
            if (done - worked) / (now - looked_at) >= SATURATED:
                one.saturated += now - looked_at
            looked_at, worked = now, done
