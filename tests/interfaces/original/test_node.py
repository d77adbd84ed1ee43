"""The clients of tests/npm in Node: each test of plain.test.mjs, against two real workers."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from accounts.models import User
from messaging import services
from tests.interfaces.original.page import token_of

HERE = Path(__file__).parent


@pytest.mark.skipif(
    not shutil.which("node") and not os.environ.get("CI"), reason="Node is not installed."
)
def test_stompjs_7_talks_over_a_plain_websocket(npm, stack, settings):
    alice, bob, charlie = stack.people("alice", "bob", "charlie")
    room = stack.run(open_room, alice.id, bob.id)
    urls = [f"ws{url.removeprefix('http')}/stomp" for url in stack.urls]
    environment = {
        **os.environ,
        "NPM": f"{npm}/",
        "STOMP_URL": urls[0],
        "OTHER_URL": urls[1],
        "ROOM": str(room),
        "ALICE": stack.run(token, alice.id),
        "BOB": stack.run(token, bob.id),
        "CHARLIE": stack.run(token, charlie.id),
    }
    command = ["node", "--test", "--test-reporter=tap", str(HERE / "plain.test.mjs")]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=110)
    print(run.stdout, run.stderr)
    assert run.returncode == 0


def open_room(owner_id, member_id):
    room = services.open_room(User.objects.get(pk=owner_id), title="Tea", capacity=10)
    services.join(room.pk, User.objects.get(pk=member_id))
    return room.pk


def token(user_id):
    return token_of(User.objects.get(pk=user_id))
