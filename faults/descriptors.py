"""What the open files of processes are: their lines by the other end, and all else."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

ENDED = "08"  # CLOSE_WAIT: the other end is gone, and we hold ours still


def held(pids: Iterable[int], ports: Mapping[str, int]) -> Counter[str]:
    """How many of each kind: `files` (all that are no TCP lines), `clients`, each name of `ports`
    for the lines to that port, and `ended` for lines to anywhere that only we hold still."""
    names = {port: name for name, port in ports.items()}
    lines, local = _tcp(), _unix()
    found: Counter[str] = Counter()
    for pid in pids:
        for inode in _inodes(pid):
            if not inode or inode in local:
                found["files"] += 1
            elif inode not in lines:  # the kernel lists no line that is over on both sides
                found["ended"] += 1
            else:
                port, state = lines[inode]
                found["ended" if state == ENDED else names.get(port, "clients")] += 1
    return found


def _inodes(pid: int) -> list[str]:
    """One entry for each open file; "" for what is no socket."""
    inodes = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            socket = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(entry))
        except FileNotFoundError:  # closed meanwhile
            continue
        inodes.append(socket[1] if socket else "")
    return inodes


def _tcp() -> dict[str, tuple[int, str]]:
    """By inode: the port of the other end, and the state, as the kernel writes it."""
    found = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            found[words[9]] = (int(words[2].rpartition(":")[2], 16), words[3])
    return found


def _unix() -> set[str]:
    lines = Path("/proc/net/unix").read_text().splitlines()[1:]
    return {line.split()[6] for line in lines}
