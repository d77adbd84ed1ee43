"""What everyone did, saw, and suffered, in the order in which it happened.

As Jepsen does it (jepsen.io): each operation has an `invoke`, and then an `ok`, a `fail` or an
`info`. What may have happened or not is `info`, never `fail`.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Entry(NamedTuple):
    at: float  # seconds on the monotonic clock
    who: str  # a member, or "nemesis"
    op: str  # send, show, join, leave, connect, closed, renew, fault
    phase: str  # invoke, ok, fail, info; a fault has begin and end
    room: int = 0
    cid: str = ""
    seq: int = 0
    note: str = ""


class History:
    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(self, who: str, op: str, phase: str, **known: int | str) -> None:
        self.entries.append(Entry(time.monotonic(), who, op, phase, **known))  # type: ignore[arg-type]

    def of(self, op: str, phase: str) -> Iterator[Entry]:
        return (entry for entry in self.entries if entry.op == op and entry.phase == phase)

    def forget(self, op: str) -> None:
        """What was judged and would only take memory in a long run."""
        self.entries = [entry for entry in self.entries if entry.op != op]

    def keep(self, path: Path) -> None:
        """As lines of JSON, for people."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            for entry in self.entries:
                file.write(json.dumps(entry._asdict()) + "\n")
