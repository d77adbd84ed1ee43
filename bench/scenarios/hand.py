"""Server-side work for a scenario: a process on the servers' core, with Django, that does what it
is told. A task is a function by name; what it takes and gives is JSON, a line each."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from typing import Any

from bench.ours import environment
from bench.servers import HOME, ROOT, SERVER_CORE, Servers, on_core


def migrated(servers: Servers, name: str) -> dict[str, str]:
    """The environment of a fresh database of that name, with today's tables."""
    around = os.environ | environment(servers, servers.database(name))
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(on_core(SERVER_CORE, command), cwd=ROOT, env=around, check=True)
    return around


class Hand:
    def __init__(self, module: str, around: Mapping[str, str]) -> None:
        log = HOME / "log" / f"{module.rpartition('.')[2]}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log.open("a+b")
        self.process = subprocess.Popen(
            on_core(SERVER_CORE, [sys.executable, "-m", module]),
            cwd=ROOT,
            env=dict(around),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )

    def ask(self, task: str, **given: Any) -> Any:
        self.tell(task, **given)
        return self.answer()

    def tell(self, task: str, **given: Any) -> None:
        """Without waiting: so several begin at once."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([task, given]) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        assert self.process.stdout is not None
        if line := self.process.stdout.readline():
            return json.loads(line)
        raise RuntimeError(f"{self.process.args} ended: see {self.log.name}")

    def stop(self) -> None:
        """It ends when nothing more can be asked."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


@contextmanager
def hands(module: str, around: Mapping[str, str], count: int = 1):
    made = [Hand(module, around) for _ in range(count)]
    try:
        yield made
    finally:
        for one in made:
            one.stop()


def obey(**tasks: Callable[..., Any]) -> None:
    """What a scenario's module does when it is run: as a hand, until nothing more is asked."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what else is printed is no answer
    import django

    django.setup()
    for line in sys.stdin:
        task, given = json.loads(line)
        print(json.dumps(tasks[task](**given)), file=answers, flush=True)


def medians(runs: list[dict[str, float]]) -> dict[str, float]:
    """Of each figure, over the repeats."""
    return {name: round(statistics.median(run[name] for run in runs), 3) for name in runs[0]}
