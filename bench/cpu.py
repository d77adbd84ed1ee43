"""CPU time and memory of processes and all that they started, from /proc."""

import os
import time
from collections.abc import Collection
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
LOOK_SECONDS = 0.5
QUIET = 0.1  # of a core


def tree(roots: Collection[int]) -> set[int]:
    """These processes and their descendants."""
    children: dict[int, list[int]] = {}
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        if (fields := _stat(pid)) is not None:
            children.setdefault(int(fields[1]), []).append(pid)
    found, open_ends = set(), list(roots)
    while open_ends:
        pid = open_ends.pop()
        if pid not in found:
            found.add(pid)
            open_ends += children.get(pid, [])
    return found


def seconds(roots: Collection[int]) -> float:
    """User and system time so far, with that of children that have ended."""
    total = 0
    for pid in tree(roots):
        if (fields := _stat(pid)) is not None:
            total += sum(map(int, fields[11:15]))
    return total / TICKS


def until_quiet(roots: Collection[int], *, within: float) -> None:
    """Until these take next to nothing, so that what came before is not counted to what follows."""
    until = time.monotonic() + within
    before = seconds(roots)
    while time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
        before, last = seconds(roots), before
        if before - last < QUIET * LOOK_SECONDS:
            return


def memory(roots: Collection[int]) -> int:
    """Resident bytes."""
    pages = 0
    for pid in tree(roots):
        try:
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except OSError:  # it has ended meanwhile
            continue
    return pages * os.sysconf("SC_PAGE_SIZE")


def _stat(pid: int) -> list[str] | None:
    """The fields after the name: state, parent, … utime is the 12th, then stime, cutime, cstime."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
