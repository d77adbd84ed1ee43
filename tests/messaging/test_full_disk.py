"""A full disk: people are told, so is who runs the site, and when there is room it goes on."""

import asyncio
import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from accounts.models import User
from tests.messaging import stores as servers
from tests.messaging.test_degraded import aask, readiness, until_all_is_well
from tests.messaging.test_two_processes import open_room, say, subscribe
from tests.stack import Stack

STAFF = {"is_staff": True, "is_superuser": True}
SIZE = "192m"  # a new PostgreSQL takes 40


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """A small one of its own."""
    place = tmp_path_factory.mktemp("disk")
    if not shutil.which("mount") or os.geteuid() != 0:
        pytest.skip("only root mounts a small disk (tmpfs) to fill it up")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "tmpfs", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture(scope="module")
def crammed(disk, django_db_setup, django_db_blocker):
    """Two processes, as on a machine with that disk."""
    found = servers.start(disk / "data")
    with django_db_blocker.unblock():
        stack = Stack(
            database="crammed",
            server=found["postgresql"].url(),
            REDIS_URL=found["redis"].url(),
            MONGODB_URL=found["mongodb"].url(),
            CHATTALK_DATA=str(disk / "data"),
            MESSAGE_RATE="100000",
            MESSAGE_BURST="100000",
        )
        with stack.in_use():
            yield stack
        stack.close()
    for store in found.values():
        store.process.stop()


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
