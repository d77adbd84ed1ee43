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


async def test_it_serves_tells_its_manager_and_sends_its_people_away_in_order(stack, tmp_path):
    (alice,) = await stack.apeople("alice")
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    manager.settimeout(60)
    with manager, served(stack, "--port", "0", NOTIFY_SOCKET=str(tmp_path / "notify")) as one:
        url = one.url().rstrip("/")
        assert manager.recv(100) == b"READY=1"
        async with raw_socket.opened(url, cookie=alice.cookie) as line:
            assert json.loads(await line.recv())["type"] == "hello"
            one.process.send_signal(signal.SIGTERM)
            await line.wait_closed()
            assert line.close_code == 1012
            assert 0.5 <= json.loads(line.close_reason)["retry_after"] <= 5
        assert manager.recv(100) == b"STOPPING=1"
        one.process.wait(20)


async def test_two_share_a_socket_and_one_relieves_the_other_at_once(stack):
    (alice,) = await stack.apeople("alice")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        shared = "--fd", str(listener.fileno())
        with served(stack, *shared, fds=[listener.fileno()]) as one:
            url = one.url().rstrip("/")
            async with raw_socket.opened(url, cookie=alice.cookie) as line:
                await line.recv()
                with served(stack, *shared, fds=[listener.fileno()]) as successor:
                    successor.url()
                    one.process.send_signal(signal.SIGUSR1)
                    await line.wait_closed()
                    assert json.loads(line.close_reason)["retry_after"] <= 0.1
                    async with raw_socket.opened(url, cookie=alice.cookie) as line:
                        assert json.loads(await line.recv())["type"] == "hello"
            assert one.process.wait(20) == 0


def test_it_takes_the_socket_that_systemd_opened(stack):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port, fd = listener.getsockname()[1], listener.fileno()
        passed = [sys.executable, "-c", PASSED, str(fd), *SERVE]
        with served(stack, command=passed, fds=[fd]) as one:
            assert one.url() == f"http://127.0.0.1:{port}/"


@pytest.mark.parametrize(
    "options, environment, told",
    [
        ([], {}, "Where is it to listen?"),
        (["--fd", "0"], {}, "The descriptor 0 is no listening socket"),
        (["--port", "0", "--host", "0.0.0.0"], {}, "With DEBUG on, others must not reach"),
        (["--port", "0"], {"REDIS_URL": "redis://127.0.0.1:1"}, "REDIS_URL: no answer from"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(stack, options, environment, told):
    with served(stack, *options, **environment) as one:
        assert one.process.wait(60) == 1
        said = one.process.stdout.read()
    assert told in said
    assert len(said.splitlines()) == 1


def test_it_starts_no_servers_and_makes_no_tables(stack, tmp_path):
    missing = {"DATABASE_URL": "", "REDIS_URL": "", "CHATTALK_DATA": str(tmp_path)}
    with served(stack, "--port", "0", **missing) as one:
        one.until("starts no servers: set DATABASE_URL, REDIS_URL")
    with served(stack, "--port", "0", DATABASE_URL=address_of("postgres")) as one:
        one.until(r"not up to date \(\d+ migrations are missing\): run `manage.py migrate` first")
