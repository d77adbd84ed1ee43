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

from bench.servers import HOME, ROOT, SERVER_CORE, Servers, on_core, running

FREELY = ("MESSAGE_RATE", "MESSAGE_BURST", "SIGN_IN_RATE", "API_RATE", "API_RATE_NOBODY")


def environment(servers: Servers, database: str) -> dict[str, str]:
    """The site as in production on these stores; its rates are no part of what is measured."""
    here = {
        "DATABASE_URL": database,
        "REDIS_URL": servers.redis,
        "MONGODB_URL": servers.mongodb,
        "CHATTALK_DATA": str(HOME / "site"),
        "DJANGO_SETTINGS_MODULE": "chattalk.settings",
        "DEBUG": "false",
        "HTTPS": "false",
        "SECRET_KEY": "only-for-the-benchmark-" + "x" * 50,
        "ALLOWED_HOSTS": "127.0.0.1",
    }
    return os.environ | here | dict.fromkeys(FREELY, "1000000000")


def migrated(servers: Servers, name: str) -> dict[str, str]:
    """The environment of a fresh database of that name, with today's tables."""
    around = environment(servers, servers.database(name))
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(on_core(SERVER_CORE, command), cwd=ROOT, env=around, check=True)
    return around


class Hand:
    def __init__(self, module: str, around: Mapping[str, str]) -> None:
        log = HOME / "log" / f"{module.rpartition('.')[2]}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log.open("a+b")
        self.process = subprocess.Popen(
            on_core(SERVER_CORE, [sys.executable, "-m", module, "--hand"]),
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


def obey(tasks: Mapping[str, Callable[..., Any]]) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what else is printed is no answer
    import django

    django.setup()
    for line in sys.stdin:
        task, given = json.loads(line)
        print(json.dumps(tasks[task](**given)), file=answers, flush=True)


def main(run: Callable[..., dict[str, Any]], **tasks: Callable[..., Any]) -> None:
    """A scenario alone: its figures as JSON; `--short` for the short one."""
    if "--hand" in sys.argv:
        obey(tasks)
        return
    with running() as servers:
        figures = run(servers, short="--short" in sys.argv, tell=to_stderr)
    print(json.dumps(figures, indent=1))


def to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def medians(runs: list[dict[str, float]]) -> dict[str, float]:
    """Of each figure, over the repeats."""
    return {name: round(statistics.median(run[name] for run in runs), 3) for name in runs[0]}
