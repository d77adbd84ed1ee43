"""The package as others get it: a wheel in an environment of its own, and the bot of its README."""

import asyncio
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.clients.python.conftest import WITHIN, bodies, signed_in, signed_up
from tests.doors.clients import PASSWORD

PACKAGE = Path(__file__).resolve().parents[3] / "clients" / "python"
BOT = re.search(r"```python\n(.*?)```", (PACKAGE / "README.md").read_text(), re.S)[1]


def pip(*words: str | Path) -> str:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """Built by the flit-core that requirements-dev.txt pins, not by one that is fetched."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-index", "--no-deps", "--no-build-isolation", "-w", folder, PACKAGE)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def python(wheel, tmp_path_factory) -> Path:
    """A fresh environment with the wheel. What the wheel asks for is found among the packages of
    the tests, as a path in that environment: pip looks whether all is there, and in the versions
    that are asked for, and fetches nothing."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    (site,) = folder.glob("lib/*/site-packages")
    (site / "packages_of_the_tests.pth").write_text(sysconfig.get_path("purelib"))
    pip("--python", python, "install", "--no-index", wheel)
    return python


def test_the_wheel_holds_the_package_its_types_and_its_licence(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {path.name for path in (PACKAGE / "src" / "chattalk_client").glob("*.py")}
    assert {f"chattalk_client/{name}" for name in {*modules, "py.typed"}} <= names
    told = zipfile.ZipFile(wheel).read("chattalk_client-0.1.0.dist-info/METADATA").decode()
    assert "License-Expression: MIT" in told and "Requires-Python: >=3.11" in told
    assert "chattalk_client-0.1.0.dist-info/licenses/LICENSE" in names


def test_a_wheel_that_asks_for_what_is_not_there_is_not_installed(python, wheel, tmp_path):
    """Else the next test would show nothing of what the wheel says that it needs."""
    other = tmp_path / wheel.name
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"websockets>=15,<18", b"websockets>=99"))
    with pytest.raises(AssertionError, match="websockets"):
        pip("--python", python, "install", "--no-index", "--force-reinstall", other)


async def test_the_bot_of_the_readme_answers(fast, python):
    assert len([line for line in BOT.splitlines() if line]) <= 15
    email = await signed_up(fast, "Parrot")
    async with signed_in(fast, "Alice") as alice:
        room = await alice.enter((await alice.open("Tea")).id)
        environment = {
            "URL": fast.urls[1], "EMAIL": email, "PASSWORD": PASSWORD, "ROOM": str(room.id),
            "PATH": os.environ["PATH"],
        }  # fmt: skip
        where = "import chattalk_client; print(chattalk_client.__file__)\n"
        bot = await asyncio.create_subprocess_exec(
            python, "-u", "-c", where + BOT, env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            while len(room.here) < 2:
                await anext(room.hints())
            await room.send("hello")
            assert await bodies(room, 2) == ["hello", "Alice said: hello"]
        finally:
            bot.terminate()
            said, _ = await bot.communicate()
        assert str(python.parent.parent) in said.decode()
