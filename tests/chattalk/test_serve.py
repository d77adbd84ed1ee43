"""`manage.py serve`: one worker for any supervisor."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from chattalk.embedded import StartFailed
from tests import raw_socket
from tests.stack import Stack, address_of

ROOT = Path(__file__).resolve().parents[2]
SERVE = [sys.executable, "manage.py", "serve"]
# What systemd does: descriptor 3, and whose it is.
PASSED = """
import os, sys
fd = int(sys.argv[1])
os.dup2(fd, 3)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
os.execv(sys.argv[2], sys.argv[2:])
"""


class Served:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.said = process, ""

    def until(self, pattern: str) -> str:
        for line in self.process.stdout:
            self.said += line
            if found := re.search(pattern, line):
                return found[0]
        raise AssertionError(f"it ended without {pattern!r}: {self.said}")

    def url(self) -> str:
        return self.until(r"http://\S+/")


@contextmanager
def served(stack: Stack, *options: str, command=SERVE, fds=(), **more: str) -> Iterator[Served]:
    process = subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        env=os.environ | stack.environment | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=fds,
    )
    with process:
        try:
            yield Served(process)
        finally:
            process.kill()


async def test_one_relieves_another_on_their_socket_and_ends_in_order_itself(stack, tmp_path):
    (alice,) = await stack.apeople("alice")
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    manager.settimeout(60)
    with manager, socket.create_server(("127.0.0.1", 0)) as listener:
        fd, tells = listener.fileno(), {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        with served(stack, "--fd", str(fd), fds=[fd], **tells) as one:
            url = one.url().rstrip("/")
            assert manager.recv(100) == b"READY=1"
            async with raw_socket.opened(url, cookie=alice.cookie) as line:
                await line.recv()
                with served(stack, "--fd", str(fd), fds=[fd]) as successor:
                    successor.url()
                    one.process.send_signal(signal.SIGUSR1)
                    await line.wait_closed()
                    assert 0 <= come_back(line) <= 0.1
                    assert manager.recv(100) == b"STOPPING=1"
                    assert one.process.wait(20) == 0
                    async with raw_socket.opened(url, cookie=alice.cookie) as line:
                        await line.recv()
                        successor.process.send_signal(signal.SIGTERM)
                        await line.wait_closed()
                    assert 0.5 <= come_back(line) <= 5
                    assert successor.process.wait(20) == -signal.SIGTERM


def come_back(line) -> float:
    assert line.close_code == 1012
    return json.loads(line.close_reason)["retry_after"]


def test_it_takes_the_socket_that_systemd_opened(stack):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port, fd = listener.getsockname()[1], listener.fileno()
        passed = [sys.executable, "-c", PASSED, str(fd), *SERVE]
        with served(stack, command=passed, fds=[fd]) as one:
            assert one.url() == f"http://127.0.0.1:{port}/"


@pytest.mark.parametrize(
    "options, told",
    [
        ({}, "Where is it to listen?"),
        ({"fd": 0}, "The descriptor 0 is no listening socket"),
        ({"port": 0, "host": "0.0.0.0"}, "With DEBUG on, others must not reach"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(settings, options, told):
    settings.DEBUG = True
    with pytest.raises((CommandError, StartFailed), match=told):
        call_command("serve", **options)


def test_a_store_that_is_missing_or_does_not_answer_is_named(monkeypatch, settings, tmp_path):
    settings.DATA_DIR = tmp_path  # no `up` runs on it
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("REDIS_URL", "")
    with pytest.raises(StartFailed, match="starts no servers: set DATABASE_URL, REDIS_URL"):
        call_command("serve", port=0)
    monkeypatch.undo()
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    with pytest.raises(StartFailed, match="REDIS_URL: no answer from"):
        call_command("serve", port=0)


def test_it_makes_no_tables(stack):
    with served(stack, "--port", "0", DATABASE_URL=address_of("postgres")) as one:
        one.until(r"not up to date \(\d+ migrations are missing\): run `manage.py migrate` first")
