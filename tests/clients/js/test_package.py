"""clients/js as others get it: packed, installed without a network, and its README's bot."""

import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.clients.js.node import ROOT, SECONDS, needs_node, node
from tests.doors.clients import PASSWORD, sign_up, until
from tests.doors.on_socket import OnSocket

CLIENT = ROOT / "clients" / "js"
README = (CLIENT / "README.md").read_text()
needs_npm = pytest.mark.skipif(
    not shutil.which("npm") and not os.environ.get("CI"), reason="npm is not installed."
)


def npm(*words, cwd):
    done = subprocess.run(["npm", *words], cwd=cwd, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder of somebody's, with the packed client in it."""
    packed, folder = tmp_path_factory.mktemp("packed"), tmp_path_factory.mktemp("bot")
    npm("pack", f"./{CLIENT.relative_to(ROOT)}", "--pack-destination", str(packed), cwd=ROOT)
    (tarball,) = packed.glob("*.tgz")
    with tarfile.open(tarball) as files:
        names = {name.removeprefix("package/") for name in files.getnames()}
    lib = {f"lib/{path.name}" for path in (CLIENT / "lib").glob("*.js")}
    own = {"chattalk.d.ts", "package.json", "README.md", "LICENSE"}
    assert names == lib | own
    (folder / "package.json").write_text('{"type": "module", "private": true}')
    npm("install", "--offline", "--no-audit", "--no-fund", str(tarball), cwd=folder)
    return folder


def block(title):
    """The program under that heading of the README."""
    return re.search(rf"## {title}\n\n```js\n(.*?)```", README, re.S)[1]


def lines(program):
    return len(program.strip().splitlines())


@needs_node
@needs_npm
def test_the_bot_of_the_readme_answers(installed, stack):
    assert lines(block("A bot")) <= 15
    (installed / "bot.js").write_text(block("A bot"))
    email, bot = sign_up(stack.urls[0], "Bot")
    dana = OnSocket(stack.urls[1], "Dana")
    room = dana.rest("POST", "/api/v1/rooms/", {"title": "Tea"}).json["id"]
    dana.enter(room)
    environment = {"CHATTALK_URL": stack.urls[0], "EMAIL": email, "PASSWORD": PASSWORD}
    running = subprocess.Popen(
        node("bot.js"), cwd=installed, env=os.environ | environment | {"ROOM": str(room)},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert running.stdout.readline() == "Bot listens in Tea.\n"
        for body in ("hello", "bye"):
            dana.say(body)
            answer = f"Dana said: {body}"
            until(lambda answer=answer: answer in dana.heard(), answer)
        assert running.wait(SECONDS) == 0  # it was told to go
    finally:
        running.kill()
        running.communicate()
        dana.go()


def test_the_page_of_the_readme_takes_five_lines():
    assert lines(block("A page")) <= 5


EXPORTS = """
import * as client from "@chattalk/client";
const of = (one) => Object.getOwnPropertyNames(one.prototype);
const isClass = (one) => typeof one === "function" && /^class/.test(String(one));
const entries = Object.entries(client).map(([name, one]) => [name, isClass(one) ? of(one) : null]);
console.log(JSON.stringify(Object.fromEntries(entries)));
"""
DECLARED = re.compile(r"^export (?:class|function) (\w+)[^{;]*(?:\{\}|\{(.*?)^\}|;)", re.S | re.M)
MEMBER = re.compile(r"^  (?!private|constructor)(?:static |readonly )*(\w+)[(:?]", re.M)


@needs_node
@needs_npm
def test_the_types_name_what_there_is_and_nothing_else(installed):
    (installed / "exports.js").write_text(EXPORTS)
    done = subprocess.run(
        node("exports.js"), cwd=installed, capture_output=True, text=True, check=True
    )
    exported = json.loads(done.stdout)
    declared = dict(DECLARED.findall((CLIENT / "chattalk.d.ts").read_text()))
    assert set(declared) == set(exported)
    sources = "".join(path.read_text() for path in CLIENT.glob("lib/*"))
    for name, body in declared.items():
        for member in MEMBER.findall(body):
            # A method or getter of the class, or something that its code sets.
            assert member in (exported[name] or ()) or re.search(rf"\b{member}\b", sources), member


def test_it_needs_nothing_else():
    package = json.loads((CLIENT / "package.json").read_text())
    assert not {"dependencies", "peerDependencies", "scripts"} & set(package)
    for path in CLIENT.glob("lib/*.js"):
        assert len(path.read_text().splitlines()) <= 300
        for source in re.findall(r'(?:from|import) "([^"]+)"', path.read_text()):
            assert (path.parent / source).is_file(), source
