"""A leader that stands still in the middle of a step, and goes on after another has taken over."""

import os
import signal
import subprocess
import sys
import time

import pytest
from django.db import connection

from messaging.followers import steps
from tests.chattalk.test_layout import ROOT
from tests.messaging.followers.conftest import follow, say
from tests.messaging.followers.test_counters import counted, in_log
from tests.stack import address_of

ENDED_BY_POSTGRESQL_WITHIN = 15.0  # seconds; its limit for a transaction in which nothing moves: 5


@pytest.fixture
def still(room, alice, counters):
    """A process that stands in its step; what it has to follow is three lines."""
    follow(counters)
    say(room, alice, "one", "two", "three")
    environment = os.environ | {"DATABASE_URL": address_of(connection.settings_dict["NAME"])}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.messaging.followers.still", str(room.pk)],
        env=environment,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _pid, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_another_takes_over_and_nothing_is_counted_twice(still, room, alice, counters):
    assert steps.take(counters, [room.pk]) is None
    deadline = time.monotonic() + ENDED_BY_POSTGRESQL_WITHIN
    while (step := steps.take(counters, [room.pk])) is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert step.lines == 3 and counted() == in_log()
    still.send_signal(signal.SIGCONT)
    _out, error = still.communicate(timeout=20)
    assert still.returncode != 0 and "idle-in-transaction timeout" in error
    assert counted() == in_log()
