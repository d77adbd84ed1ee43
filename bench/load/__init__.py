"""Runs the load generator (load.c), pinned to the load's core, beside a look at the CPU's clock."""

import json
import os
import subprocess
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import cpu
from bench.servers import HOME, LOAD_CORE, on_core

HERE = Path(__file__).parent
SOURCES = ("load.c", "wires.c", "histogram.c")
FLAGS = ["-O2", "-std=gnu11", "-Wall", "-Wextra"]
BUSY_MAX = 0.9  # of its core; above, it would measure itself
TIMES = ("warm", "measure")
share = 1.0  # of these times; less where somebody only wants to see whether all runs


class Invalid(Exception):
    """A run that may not count: something was lost, or the generator was the bottleneck."""


@dataclass
class Run:
    """What the generator reported, and what the servers took for it."""

    report: dict[str, Any]
    cpu_seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    @property
    def per_cpu_second(self) -> float:
        return self.report["delivered"] / self.cpu_seconds if self.cpu_seconds else 0.0

    @property
    def per_second(self) -> float:
        return self.report["delivered"] / self.report["seconds"]

    @property
    def messages_per_second(self) -> float:
        return self.report["completed"] / self.report["seconds"]


def build() -> Path:
    """The program, made anew when its source is newer."""
    program = HOME / "load"
    sources = [HERE / name for name in SOURCES]
    newest = max(path.stat().st_mtime for path in [*sources, HERE / "load.h"])
    if not program.exists() or program.stat().st_mtime < newest:
        program.parent.mkdir(parents=True, exist_ok=True)
        compiler = os.environ.get("CC", "gcc")
        subprocess.run([compiler, *FLAGS, "-o", str(program), *map(str, sources)], check=True)
    return program


class Load:
    """A run under way. Lines: `connected`, `open`, `closed`, then the report."""

    def __init__(
        self, wire: str, plan: Path, path: str, *, core: int = LOAD_CORE, **options: Any
    ) -> None:
        words = ["--wire", wire, "--plan", str(plan), "--path", path]
        for name, value in options.items():
            value = value * share if name in TIMES else value
            words.append(f"--{name.replace('_', '-')}")
            if value is not True:
                words.append(str(value))
        self._child = subprocess.Popen(
            on_core(core, [str(build()), *words]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def until(self, word: str) -> None:
        assert self._child.stdout is not None
        line = self._child.stdout.readline().strip()
        if line != word:
            self._end()
            raise Invalid(f"the generator said {line!r} instead of {word!r}")

    def go_on(self) -> None:
        """After `hold`."""
        assert self._child.stdin is not None
        self._child.stdin.write("\n")
        self._child.stdin.flush()

    def report(self) -> dict[str, Any]:
        assert self._child.stdout is not None
        report = json.loads(self._child.stdout.readline())
        self._end()
        return report

    def _end(self) -> None:
        with self._child:  # closes its pipes
            self._child.wait(10)

    def measured(self, pids: Collection[int]) -> Run:
        """The window, with the CPU time that these processes took in it."""
        self.until("open")
        before = cpu.seconds(pids)
        self.until("closed")
        taken = cpu.seconds(pids) - before
        report = self.report()
        return Run(report, taken, faults(report))


def measure(
    wire: str,
    plan: Path,
    path: str,
    pids: Collection[int],
    meanwhile: Callable[[], None] = lambda: None,
    **options: Any,
) -> Run:
    load = Load(wire, plan, path, **options)
    load.until("connected")
    meanwhile()
    return load.measured(pids)


def faults(report: dict[str, Any]) -> list[str]:
    """Why a run may not count; nothing if it may."""
    names = ("lost", "repeated", "disorder", "refused", "closed_early")
    found = [f"{report[name]} {name}" for name in names if report[name]]
    if report["acked"] and report["acked"] != report["sent"]:
        found.append(f"{report['sent'] - report['acked']} not acknowledged")
    if report["busy"] > BUSY_MAX:
        found.append(f"the generator took {report['busy']:.0%} of its core")
    return found
