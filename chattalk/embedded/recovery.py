"""How far PostgreSQL is with reading its log again after a crash, for who waits for it."""

import os
import re
import time
from collections.abc import Callable

from .process import TELL_EVERY, Process

REDO_BEGINS = re.compile(r"redo starts at ([0-9A-F]+)/([0-9A-F]+)")
REDO = re.compile(
    r"redo in progress, elapsed time: ([\d.]+) s, current LSN: ([0-9A-F]+)/([0-9A-F]+)"
)
STEP = re.compile(r"LOG:  (.+)")  # others: it makes files durable, it writes a checkpoint
MIB = 1 << 20


class Recovery:
    def __init__(self, process: Process, show: Callable[[str], None]) -> None:
        self._process, self._show = process, show
        self._read = process.log_begins  # bytes of the log
        self._told_at = time.monotonic()
        self._redo_began = 0
        self._step = "it has just begun"

    def tell(self) -> None:
        """A line every few seconds."""
        now = time.monotonic()
        if now - self._told_at >= TELL_EVERY:
            self._told_at = now
            self._look()
            self._show(f"PostgreSQL recovers what a crash left: {self._step}")

    def _look(self) -> None:
        """At what it has logged since the last time."""
        assert self._process.log
        with self._process.log.open("rb") as log:
            if os.fstat(log.fileno()).st_size < self._read:
                self._read = 0  # it was shortened meanwhile
            log.seek(self._read)
            said = log.read().decode(errors="replace")
            self._read = log.tell()
        for line in said.splitlines():
            self._hear(line)

    def _hear(self, line: str) -> None:
        if begins := REDO_BEGINS.search(line):
            self._redo_began = _position(*begins.groups())
        if redo := REDO.search(line):
            done = (_position(redo[2], redo[3]) - self._redo_began) / MIB
            self._step = f"{done:,.0f} MiB of its log read again in {float(redo[1]):.0f} s"
        elif step := STEP.search(line):
            self._step = step[1]


def _position(high: str, low: str) -> int:
    """A place in the log, in bytes."""
    return int(high, 16) << 32 | int(low, 16)
