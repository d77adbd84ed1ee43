"""interfaces/original/ can be deleted with its routes, and the rest is whole."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from tests.chattalk.test_layout import APPS, ROOT
from tests.doors.clients import Wire, sign_up, until
from tests.doors.people import OnStomp
from tests.stack import Stack

ROUTES = {Path("chattalk") / name for name in ("asgi.py", "settings.py", "urls.py")}
NAMED = re.compile(r"interfaces\.original\b|interfaces import .*\boriginal\b|\boriginal\.websocket")
STARTS = "import chattalk.asgi; from django.urls import get_resolver; get_resolver().url_patterns"


def naming(folder: Path) -> set[Path]:
    """The files outside of it that name it."""
    files = [file for app in APPS for file in (folder / app).rglob("*.py")]
    outside = [file.relative_to(folder) for file in files if "original" not in file.parts]
    return {file for file in outside if NAMED.search((folder / file).read_text())}


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def without(tmp_path_factory):
    """The site without it."""
    folder = tmp_path_factory.mktemp("without")
    for package in [*APPS, "templates", "locale", "static"]:
        shutil.copytree(ROOT / package, folder / package)
    shutil.copy(ROOT / "manage.py", folder)
    shutil.rmtree(folder / "interfaces" / "original")
    for file in ROUTES:
        lines = (folder / file).read_text().splitlines()
        kept = [line for line in lines if not NAMED.search(line)]
        assert kept != lines, file
        (folder / file).write_text("\n".join(kept) + "\n")
    return folder


@pytest.fixture(scope="module")
def site(without, django_db_setup, django_db_blocker):
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        patch.setattr("chattalk.server.workers.ROOT", without)
        stack = Stack(1, "without", PYTHONPATH=str(without))
        with stack.in_use():
            yield stack.urls[0]
        stack.close()


def test_only_the_routes_name_it():
    assert naming(ROOT) == ROUTES


@pytest.mark.parametrize(
    "line",
    [
        "from interfaces.original import bodies",
        "from interfaces import original",
        "import interfaces.original.bodies",
    ],
)
def test_one_more_that_names_it_is_seen_and_the_site_does_not_start(without, line):
    file = without / "interfaces" / "stomp" / "chat.py"
    usual = file.read_text()
    file.write_text(f"{line}\n{usual}")
    try:
        assert naming(without) == {file.relative_to(without)}
        assert "original" in run(without, "-c", STARTS).stderr.splitlines()[-1]
    finally:
        file.write_text(usual)


def test_without_it_the_site_starts(without):
    assert naming(without) == set()
    for command in (["manage.py", "check"], ["-c", STARTS]):
        ran = run(without, *command)
        assert ran.returncode == 0, ran.stderr


def test_without_it_only_our_own_texts_are_counted(without):
    asked = "import chattalk.asgi; from interfaces.graphql.schema import TEXTS; print(*TEXTS)"
    assert run(without, "-c", asked).stdout == "body\n"


def test_without_it_stomp_talks(site):
    alice, bob = OnStomp(site, "Alice"), OnStomp(site, "Bob")
    room = alice.rest("POST", "/api/v1/rooms/", {"title": "Tea"}).json["id"]
    alice.enter(room)
    bob.enter(room)
    bob.say("hello")
    alice.say("hello, Bob")
    for each in (alice, bob):
        until(lambda each=each: each.heard() == ["hello", "hello, Bob"], each.name)
        until(lambda each=each: each.here() == {"Alice", "Bob"}, each.name)
    alice.go()
    bob.go()


def test_without_it_graphql_has_its_own_fields(site):
    _email, ask = sign_up(site, "Bob")
    known = ask("POST", "/graphql/", {"query": "{ me { name } myRooms { edges { cursor } } }"})
    assert known.json["data"]["me"]["name"] == "Bob"
    answer = ask("POST", "/graphql/", {"query": '{ getChatRoomById(id: "1") { id } }'})
    assert answer.json.get("data") is None and answer.json["errors"]


def test_without_it_its_sockets_are_no_door(site):
    with pytest.raises(InvalidStatus) as refused:
        Wire(site, "/stomp/chat/websocket", additional_headers={"Origin": site})
    assert refused.value.response.status_code == 403
