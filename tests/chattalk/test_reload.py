"""New code and settings while people talk: `manage.py up --reload`, and SIGHUP."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest
from chattalk_client import ChatTalk, Loss, Observer
from django.core.management import call_command

from chattalk.embedded import StartFailed
from tests.up import NOT_GIVEN, ROOT, Up

CODE = ("accounts", "chattalk", "clients", "core", "interfaces", "messaging", "presence", "rooms")
BESIDES = ("static", "templates", "locale")
PEOPLE, LINES = 6, 40  # of each
SAYS_EVERY = 0.1  # seconds
ADDITIVE = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("rooms", "0003_larger_rooms_checked")]
    operations = [
        migrations.CreateModel("Shelf", [("id", models.BigAutoField(primary_key=True))]),
        migrations.AddField("Room", "shelf", models.IntegerField(null=True)),
    ]
"""
REMOVING = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("rooms", "0004_shelf")]
    operations = [migrations.RemoveField("Room", "description")]
"""


class Site(Up):
    """A run of a copy of the code, which a test may change."""

    def __init__(self, folder: Path) -> None:
        self.code = folder / "code"
        for name in (*CODE, *BESIDES):
            ignored = shutil.ignore_patterns("node_modules")
            shutil.copytree(ROOT / name, self.code / name, ignore=ignored)
        for name in ("manage.py", ".env.example"):
            shutil.copy(ROOT / name, self.code)
        (self.code / ".env").write_text("ORIGINAL_CLIENT=true\n")
        super().__init__(folder / "data", "--workers", "2", root=self.code)

    def reload(self) -> subprocess.CompletedProcess[str]:
        return ask_for_reload(self.data, self.code)

    def workers(self) -> set[psutil.Process]:
        return {one for one in self.process.children() if "chattalk.server.worker" in one.cmdline()}

    def post(self, path: str, **fields: str) -> dict:
        request = urllib.request.Request(
            f"{self.url}api/v1/{path}",
            json.dumps(fields).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def access(self, name: str) -> str:
        """A token of somebody who has just signed up."""
        proof = {"email": f"{name}@example.com", "password": "a long and quiet evening"}
        self.post("accounts/", display_name=name, **proof)
        return self.post("tokens/", **proof)["access"]


def ask_for_reload(data: Path, code: Path = ROOT) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if name not in NOT_GIVEN}
    command = [sys.executable, "manage.py", "up", "--reload"]
    environment = own | {"CHATTALK_DATA": str(data)}
    return subprocess.run(command, cwd=code, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with Site(tmp_path_factory.mktemp("reload")) as site:
        yield site.ready()
        site.process.terminate()
        assert site.end() == 0
        assert site.left() == []


class Watch(Observer):
    def __init__(self) -> None:
        self.losses: list[Loss] = []

    def lost(self, loss: Loss) -> None:
        self.losses.append(loss)


async def talk(site, watches, until):
    """Everybody talks until then, and reads: what was acknowledged, and what each has read."""
    people = [
        ChatTalk(site.url, access=site.access(f"p{number}"), observer=watch)
        for number, watch in enumerate(watches)
    ]
    async with people[0]:
        room = (await people[0].open("Tea", capacity=PEOPLE)).id
        said, read = [], []
        begun = asyncio.Event()

        async def live(chat):
            if chat is not people[0]:
                await chat.__aenter__()
                await chat.join(room)
            here = await chat.enter(room, after=0)
            for number in range(10_000):
                said.append((await here.send(f"{number}", patient=True)).seq)
                begun.set()
                if until.is_set():
                    break
                await asyncio.sleep(SAYS_EVERY)
            return here

        async def all_read(chat, here):
            seen = []
            async for event in here.events():
                seen.append(event.seq)
                if event.seq >= max(said):
                    return seen

        rooms = await asyncio.gather(*map(live, people))
        read = await asyncio.gather(*map(all_read, people, rooms))
        for chat in people[1:]:
            await chat.close()
    return said, read


async def test_people_talk_on_while_all_workers_become_new_ones(site):
    """With new tables and new settings, too."""
    (site.code / "rooms/migrations/0004_shelf.py").write_text(ADDITIVE)
    (site.code / ".env").write_text("ORIGINAL_CLIENT=false\n")
    before, watches, until = site.workers(), [Watch() for _ in range(PEOPLE)], asyncio.Event()
    assert site.status_of("stomp/chat/info") == 200

    async def reload():
        await asyncio.sleep(0.5)
        try:
            return await asyncio.to_thread(site.reload)
        finally:
            until.set()

    (said, read), reloaded = await asyncio.gather(talk(site, watches, until), reload())
    assert reloaded.returncode == 0, reloaded.stdout + reloaded.stderr
    assert "The database is up to date: rooms.0004_shelf" in reloaded.stdout
    assert len(said) == len(set(said)) > 4 * PEOPLE
    for seen in read:
        assert seen == list(range(1, max(said) + 1))
    losses = [loss for watch in watches for loss in watch.losses]
    assert {loss.code for loss in losses} == {1012}  # and none was refused
    assert all(loss.retry_after <= 0.1 for loss in losses)
    assert len(before | site.workers()) == 4 and not any(one.is_running() for one in before)
    assert site.status_of("stomp/chat/info") == 404
    for line in site.said.splitlines():
        assert "ended unexpectedly" not in line


def test_code_that_can_not_serve_changes_nothing(site):
    """Whoever asks: the command that is of the new code itself, or a signal."""
    before, broken = site.workers(), site.code / "rooms/services.py"
    works = broken.read_text()
    broken.write_text("def seat(:\n")
    try:
        refused = site.reload()
        site.process.send_signal(signal.SIGHUP)
        site.until(f"Nothing was changed: {broken}, line 1, is no Python")
    finally:
        broken.write_text(works)
    assert refused.returncode == 1
    assert refused.stderr == f"chattalk: {broken}, line 1, is no Python (invalid syntax).\n"
    assert site.workers() == before


def test_a_wrong_setting_changes_nothing(site):
    before, settings = site.workers(), site.code / ".env"
    works = settings.read_text()
    settings.write_text("MESSAGE_RATE=many\n")
    site.process.send_signal(signal.SIGHUP)
    try:
        site.until("Nothing was changed: MESSAGE_RATE must be a number")
    finally:
        settings.write_text(works)
    assert site.workers() == before


def test_a_migration_that_the_running_version_can_not_bear_is_refused(site):
    before, removing = site.workers(), site.code / "rooms/migrations/0005_bare.py"
    removing.write_text(REMOVING)
    try:
        refused = site.reload()
    finally:
        removing.unlink()
    assert "The migration rooms.0005_bare changes what the running version uses" in refused.stdout
    assert site.workers() == before


def test_a_worker_whose_successor_does_not_come_up_stays_and_is_kept(site):
    before, broken = site.workers(), site.code / "chattalk/server/worker.py"
    works = broken.read_text()
    broken.write_text(works.replace("def main() -> None:", "def main() -> None:\n    exit(3)"))
    try:
        refused = site.reload()
    finally:
        broken.write_text(works)
    assert refused.returncode == 1
    assert "worker 1 ended while it started (status 3)" in refused.stdout
    ends = "The reload ends here: the one before it stays, and no workers are new ones"
    assert ends in refused.stdout
    assert site.workers() == before
    first = min(before, key=lambda one: one.pid)
    first.kill()
    site.until("worker . is back")
    assert site.status_of("livez") == 200


def test_who_asks_where_nothing_runs_is_told_so(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    with pytest.raises(StartFailed, match=f"No `manage.py up` of the data folder {tmp_path} can"):
        call_command("up", reload=True)
