"""Runs Node, with the WebSocket that it has from version 22 on."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 100

needs_node = pytest.mark.skipif(
    not shutil.which("node") and not os.environ.get("CI"), reason="Node is not installed."
)


def node(*words: object) -> list[str]:
    """The command. NODE may name another one."""
    name = os.environ.get("NODE", "node")
    said = subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout
    version = int(re.match(r"v(\d+)", said)[1])
    flags = ["--experimental-websocket", "--no-warnings"] if version < 22 else []
    return [name, *flags, *map(str, words)]


def run_tests(file: str, **environment: str) -> None:
    """A file of Node's own tests, in this folder."""
    command = node("--test", f"tests/clients/js/{file}")
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True,
        timeout=SECONDS,
    )  # fmt: skip
    print(done.stdout, done.stderr)
    assert done.returncode == 0
