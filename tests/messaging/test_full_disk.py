"""A full disk: people are told, so is who runs the site, and when there is room it goes on."""

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from accounts.models import User
from chattalk.embedded.valkey import Valkey
from core.postgresql import writable
from tests.messaging import stores as servers
from tests.messaging.test_degraded import aask, readiness, until_all_is_well
from tests.raw_socket import say, subscribe
from tests.stack import Stack, open_room

STAFF = {"is_staff": True, "is_superuser": True}
SIZE = "192m"  # a new PostgreSQL takes 40


@pytest.fixture(scope="module")
def disk():
    """A small one of its own. Not in pytest's folder: the next pytest that starts shuts that for
    the user that PostgreSQL runs as, who has to get in once more when it falls."""
    place = Path(tempfile.mkdtemp(prefix="disk-", dir=os.environ["CHATTALK_DATA"]))
    if not shutil.which("mount") or os.geteuid() != 0:
        pytest.skip("only root mounts a small disk (tmpfs) to fill it up")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "tmpfs", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture(scope="module")
def crammed_stores(disk):
    found = servers.start(disk / "data", redis=Valkey)  # a cluster's nodes write, and would end
    yield found
    for store in found.values():
        store.process.stop()


@contextmanager
def processes(stores, database, **environment):
    """Two of them."""
    often = {"MESSAGE_RATE": "100000", "MESSAGE_BURST": "100000"}
    stores["postgresql"].wait()  # it may still recover from the disk of the test before
    stack = Stack(database=database, **servers.addresses(stores), **often, **environment)
    with stack.in_use():
        yield stack
    print(stack.said())
    stack.close()


@pytest.fixture
def crammed(crammed_stores, disk, django_db_setup, django_db_blocker):
    """As on a machine with that disk: they see for themselves what room it has."""
    data = str(disk / "data")
    with (
        django_db_blocker.unblock(),
        processes(crammed_stores, "crammed", CHATTALK_DATA=data) as stack,
    ):
        yield stack


@pytest.fixture
def far_away(crammed_stores, django_db_setup, django_db_blocker):
    """Of a server that somebody gave: they know of its disk what it says, to whom it says it."""
    with django_db_blocker.unblock(), processes(crammed_stores, "far_away") as stack:
        yield stack


def fill(disk: Path) -> Path:
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 16))
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(512))
    return ballast


async def until_said(url, store):
    async with asyncio.timeout(20):
        while True:
            status, body = await asyncio.to_thread(ready, url)
            if store in body["why"]:
                return status, body
            await asyncio.sleep(0.1)


def ready(url):
    try:
        with urllib.request.urlopen(url + "/readyz", timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


async def refused(ws, room):
    """Until the disk has no room for one more: pages of PostgreSQL may have some left."""
    async with asyncio.timeout(30):
        while True:
            answer = await say(ws, room, "x" * 3_900)
            if answer["type"] != "ack":
                return answer
            await asyncio.sleep(0.05)


async def test_it_is_told_to_all_whom_it_concerns_and_over_when_there_is_room(crammed, disk):
    alice, bob, boss = await crammed.apeople("alice", "bob", "boss")
    await crammed.arun(lambda: User.objects.filter(pk=boss.id).update(**STAFF))
    room = await crammed.arun(open_room, alice, bob)
    await until_all_is_well(crammed)
    async with crammed.socket(0, alice) as ws:
        await subscribe(ws, room)
        crammed.said()
        ballast = fill(disk)
        assert (await refused(ws, room))["code"] == "unavailable"

        for url in crammed.urls:  # the one who wrote nothing knows it, too
            status, body = await until_said(url, "postgresql")
            assert (status, body["ready"], body["stores"]["redis"]) == (503, False, "ok")
            assert body["stores"]["postgresql"] in ("degraded", "down")
            assert body["why"] == {"postgresql": "disk full", "mongodb": "disk full"}
        said = crammed.said()
        assert "No space left on device" in said and "Traceback" not in said
        page = await aask(crammed, "/admin/", boss)
        assert page[0] == 200 and "stores nothing: its disk is full" in page[2]

        ballast.unlink()
        await until_all_is_well(crammed)
        async with asyncio.timeout(20):
            while (await say(ws, room, "it goes on"))["type"] != "ack":
                await asyncio.sleep(0.1)
    assert (await readiness(crammed))[0] == 200
    said = crammed.said()
    assert "PostgreSQL stores again" in said and "Traceback" not in said


async def goes_on(stack, ballast, ws, room):
    """Both say so, who wrote nothing too, and it is so."""
    ballast.unlink()
    for url in stack.urls:
        async with asyncio.timeout(20):
            while (await asyncio.to_thread(ready, url))[0] != 200:
                await asyncio.sleep(0.1)
    async with asyncio.timeout(20):
        while (await say(ws, room, "it goes on"))["type"] != "ack":
            await asyncio.sleep(0.1)


async def test_who_wrote_nothing_hears_of_it_from_who_did(far_away, disk):
    [alice] = await far_away.apeople("alice")
    room = await far_away.arun(open_room, alice)
    await until_all_is_well(far_away)
    async with far_away.socket(0, alice) as ws:
        await subscribe(ws, room)
        ballast = fill(disk)
        assert (await refused(ws, room))["code"] == "unavailable"
        for url in far_away.urls:
            status, body = await until_said(url, "postgresql")
            assert (status, body["why"]["postgresql"]) == (503, "disk full")
        await goes_on(far_away, ballast, ws, room)


async def test_a_hint_that_was_lost_comes_again(far_away, disk, crammed_stores):
    [alice] = await far_away.apeople("alice")
    room = await far_away.arun(open_room, alice)
    await until_all_is_well(far_away)
    async with far_away.socket(0, alice) as ws:
        await subscribe(ws, room)
        servers.kill(crammed_stores["redis"])
        ballast = fill(disk)
        assert (await refused(ws, room))["code"] == "unavailable"
        await until_said(far_away.urls[0], "postgresql")
        status, body = await asyncio.to_thread(ready, far_away.urls[1])
        assert status == 200 and "postgresql" not in body["why"]  # nobody could tell it
        servers.bring_back(crammed_stores["redis"])
        status, body = await until_said(far_away.urls[1], "postgresql")
        assert (status, body["why"]["postgresql"]) == (503, "disk full")
        await goes_on(far_away, ballast, ws, room)
    await until_all_is_well(far_away)


def test_a_false_hint_does_no_harm(db, caplog, monkeypatch):
    found, told = writable.writable, []
    monkeypatch.setattr(found, "before_each", lambda: told.append("others"))
    for _ in range(3):
        asked_at = time.monotonic()
        found.doubt_in_thread()
        for trying in [one for one in threading.enumerate() if one.name == "writable"]:
            trying.join(20)
        assert found._answered_at > asked_at  # it was tried
    assert (found.is_down, told, caplog.text) == (False, [], "")


def test_a_try_at_a_server_that_stands_still_ends(db, monkeypatch):
    monkeypatch.setattr(writable, "LIMITS", {})  # which it does not keep then
    monkeypatch.setattr(writable, "ROOM", "SELECT pg_sleep(60)")
    monkeypatch.setattr(writable, "ANSWER_SECONDS", 0.3)
    with pytest.raises(psycopg.Error):
        writable._try()
