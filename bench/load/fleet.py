"""Several generators, each on a core of its own with rooms of its own, that talk at the same
time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import cpu
from bench.load import Load, Run, faults
from bench.load.merge import merged


@dataclass(frozen=True)
class Share:
    """What one of them plays."""

    plan: Path
    rooms: int
    core: int


class Fleet:
    """`per_room`: of the options those that are for each room, as `in_flight` and `rate`."""

    def __init__(
        self, wire: str, path: str, shares: Sequence[Share], per_room: dict[str, float],
        **options: Any,
    ) -> None:  # fmt: skip
        self._has_come = "reconnect" in options  # they come when the window opens
        self._loads = [
            Load(
                wire, one.plan, path, core=one.core, hold=True, buckets=True,
                **{name: value * one.rooms for name, value in per_room.items()}, **options,
            )
            for one in shares
        ]  # fmt: skip

    def measured(self, pids: Collection[int]) -> tuple[Run, dict[int, float]]:
        """The run of all, and the CPU time of each process in it."""
        if not self._has_come:
            self._until("connected")
        for one in self._loads:
            one.go_on()
        self._until("open")
        before = {pid: cpu.seconds([pid]) for pid in pids}
        self._until("closed")
        taken = {pid: cpu.seconds([pid]) - before[pid] for pid in pids}
        report = merged([one.report() for one in self._loads])
        return Run(report, sum(taken.values()), faults(report)), taken

    def _until(self, word: str) -> None:
        for one in self._loads:
            one.until(word)
