"""docs/api.md is what runs: its lines, as they stand there, against two worker processes."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from core import problems

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs" / "api.md").read_text()
SECONDS = 40
# Node has WebSocket itself from 22 on.
WEBSOCKET = f"globalThis.WebSocket ??= require('{ROOT}/tests/npm/node_modules/ws');"


def needs(*tools):
    missing = [tool for tool in tools if not shutil.which(tool)]
    return pytest.mark.skipif(
        bool(missing) and not os.environ.get("CI"), reason=f"Not installed: {', '.join(missing)}."
    )


def block(language):
    return re.search(rf"```{language}\n(.*?)```", GUIDE, re.S)[1]


@pytest.fixture
def run(stack):
    def run(*command):
        environment = os.environ | {"CHATTALK_URL": stack.urls[0]}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=SECONDS
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@needs("curl", "jq")
def test_the_first_message_takes_ten_lines_of_curl(run):
    lines = block("bash")
    assert len(lines.splitlines()) <= 10
    said = run("bash", "-euo", "pipefail", "-c", lines).splitlines()
    assert json.loads(said[-1])["body"] == "hello"


@needs("node", "npm")
@pytest.mark.parametrize("proof", ["ticket.${ticket}", "bearer.${access}"])
def test_the_same_is_heard_live_in_javascript(run, tmp_path, proof):
    script = tmp_path / "guide.mjs"
    script.write_text(block("js").replace("ticket.${ticket}", proof))
    shim = tmp_path / "websocket.cjs"
    shim.write_text(WEBSOCKET)
    assert run("node", "--require", str(shim), str(script)) == "Erin: hello\n"


def test_every_status_of_a_refusal_is_in_the_guide():
    rows = re.findall(r"^\| ([0-9, ]+) \| (.*?) \|", GUIDE, re.M)
    shown = {
        (int(status), code)
        for statuses, codes in rows
        for status in statuses.split(",")
        for code in re.findall(r"`([a-z_]+)`", codes)
    }
    assert {(status, code) for code, status in problems.STATUS.items()} <= shown
