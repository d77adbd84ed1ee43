"""A run of `manage.py up`, as a person has it in a terminal."""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
NOT_GIVEN = ("DATABASE_URL", "REDIS_URL", "MONGODB_URL", "SECRET_KEY")


class Up:
    """A run of it; the end of the test is the end of the run."""

    def __init__(self, data: Path, *options: str, root: Path = ROOT, **environment: str) -> None:
        own = {name: value for name, value in os.environ.items() if name not in NOT_GIVEN}
        self.data = data
        self.process = psutil.Popen(
            [sys.executable, "manage.py", "up", "--port", "0", *options],
            cwd=root,
            env={**own, "CHATTALK_DATA": str(data), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""

    def until(self, pattern: str) -> str:
        for line in self.process.stdout:
            self.said += line
            if found := re.search(pattern, line):
                return found[0]
        raise AssertionError(f"it ended without {pattern!r}: {self.said}")

    def ready(self) -> "Up":
        self.url = self.until(r"http://\S+/")
        self.children = self.process.children(recursive=True)
        return self

    def find(self, program: str, *besides: psutil.Process) -> psutil.Process:
        """A child of it that is none of those, as soon as there is one."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = [one for one in self.process.children() if program in _command(one)]
            if new := [one for one in found if one not in besides]:
                return new[0]
            time.sleep(0.01)
        raise AssertionError(f"{program} did not come: {self.said}")

    def is_ready_again(self) -> None:
        """As soon as the workers have found out that what fell is back."""
        deadline = time.monotonic() + 30
        while (status := self.status_of("readyz")) != 200:
            assert time.monotonic() < deadline, status
            time.sleep(0.1)

    def status_of(self, path: str) -> int:
        try:
            with urllib.request.urlopen(self.url + path) as answer:
                return answer.status
        except urllib.error.HTTPError as refusal:
            return refusal.code

    def end(self) -> int:
        """Its exit status, once it has ended by itself."""
        self.said += self.process.communicate(timeout=60)[0]
        return self.process.returncode

    def left(self) -> list[psutil.Process]:
        return psutil.wait_procs(self.children, timeout=20)[1]

    def __enter__(self) -> "Up":
        return self

    def __exit__(self, *failure: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.stdout.close()
        self.process.wait()


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()[:4])
    except psutil.Error:  # it has ended meanwhile
        return ""
