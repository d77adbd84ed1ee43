"""Which servers presence refuses, and that it does not take them for fit ones."""

import asyncio
import json
import logging
import os
import re
import subprocess
import sys
import time
import urllib.request

import pytest

from chattalk.server.workers import ROOT
from presence import last_seen, self_check
from presence.marks import Mark
from presence.write_behind import WriteBehind
from tests.presence.cluster import document, until
from tests.presence.lossy_wire import LossyWire, SilentWire
from tests.stack import Stack

ROOM, BOB = 7, 2


@pytest.fixture
def through(mongodb, settings):
    """The server of these tests, behind one of those wires."""
    wires = []

    def stand(kind):
        wires.append(kind(mongodb.url(), str(mongodb.socket)))
        settings.MONGODB_URL = wires[-1].url
        return wires[-1]

    last_seen.connect()
    last_seen.Attendance.objects.delete()
    last_seen.disconnect()
    yield stand
    last_seen.disconnect()
    for wire in wires:
        wire.close()


def scratch():
    with last_seen.collection(self_check.NAME) as left:
        return left.count_documents({})


def test_the_server_that_comes_with_us_is_fit_and_nothing_is_left_of_the_check(mongodb):
    self_check.check()
    assert scratch() == 0


def test_a_server_that_loses_updates_is_refused_by_name_and_nothing_is_left(through):
    through(LossyWire)
    with pytest.raises(last_seen.Unfit, match="The MongoDB server .* of 24 places") as refused:
        self_check.check()
    assert refused.value.why == self_check.NOT_ATOMIC
    assert "docs/deploying.md" in str(refused.value)
    assert scratch() == 0


@pytest.mark.parametrize(
    "info, name",
    [
        ({"version": "7.0.42", "ferretdbVersion": "v1.24.2"}, "FerretDB v1.24.2"),
        ({"version": "7.0.5"}, "The MongoDB server (version 7.0.5)"),
        ({"ok": 1}, "The MongoDB server (version not told)"),
    ],
)
def test_a_server_is_named_as_it_names_itself(info, name):
    assert self_check.server_name(info) == name


def test_a_server_that_tells_no_duplicates_is_refused(through):
    through(SilentWire)
    with pytest.raises(last_seen.Unfit, match="does not tell duplicates") as refused:
        self_check.check()
    assert refused.value.why == self_check.NO_DUPLICATES


async def test_on_a_server_that_is_not_fit_nothing_is_written_and_the_reason_is_told(
    through, mongodb, settings, caplog
):
    through(LossyWire)
    caplog.set_level(logging.WARNING)
    behind = WriteBehind("one", lambda: None)
    keeping = asyncio.create_task(behind.keep())
    behind.note(Mark(ROOM, BOB, 1, online=True, process="one", came_at=1))

    await until(lambda: behind.mongodb.is_down)
    assert behind.mongodb.why == self_check.NOT_ATOMIC
    assert caplog.text.count("does not update a document atomically") == 1
    assert await document(ROOM, BOB) is None
    with pytest.raises(last_seen.Unfit):
        await behind.leave()

    keeping.cancel()
    last_seen.disconnect()
    settings.MONGODB_URL = mongodb.url()  # another server at that address
    await behind.store()
    assert (await document(ROOM, BOB)).version == 1
    behind.close()


def test_a_worker_on_such_a_server_says_why_and_people_can_talk_all_the_same(through):
    stack = Stack(count=1, MONGODB_URL=through(LossyWire).url)
    try:
        deadline = time.monotonic() + 20
        while (body := readiness(stack.urls[0]))["stores"]["mongodb"] != "down":
            assert time.monotonic() < deadline, body
            time.sleep(0.05)
        assert body["why"] == {"mongodb": self_check.NOT_ATOMIC} and body["ready"]
    finally:
        stack.close()


def readiness(url):
    with urllib.request.urlopen(f"{url}/readyz") as answer:
        return json.load(answer)


def test_up_does_not_start_on_such_a_server_and_says_so_in_a_sentence(through, settings, tmp_path):
    given = {name: getattr(settings, name) for name in ("DATABASE_URL", "REDIS_URL")}
    given |= {"MONGODB_URL": through(LossyWire).url, "CHATTALK_DATA": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "manage.py", "up", "--port", "0"],
        cwd=ROOT,
        env=os.environ | given,
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1 and "Traceback" not in said
    assert re.search(r"MONGODB_URL: The MongoDB server .* of 24 places it gave away \d+", said)
    assert "The database is up to date" not in said
