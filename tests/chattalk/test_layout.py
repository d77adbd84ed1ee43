"""Who may import whom. The rules are in the house style; this keeps them."""

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("core", "accounts", "presence", "rooms", "messaging", "interfaces", "chattalk")


def imports(source: str) -> set[str]:
    """The top-level packages that this module imports, wherever in it, by whatever form."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").split(".")[0])
    return found


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """By the contracts in pyproject.toml, which say what each is for."""
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-cache", ROOT / "pyproject.toml"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )


def test_each_floor_stands_on_those_below_it_without_circles():
    found = lint(ROOT)
    assert found.returncode == 0, found.stdout


def test_no_folder_of_ours_is_passed_over():
    """The linter says KEPT of what is in a folder without `__init__.py`, whatever it imports."""
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert set(APPS) <= set(packages["root_packages"])
    folders = {
        file.parent for app in packages["root_packages"] for file in (ROOT / app).rglob("*.py")
    }
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_the_linter_does_pass_over_such_a_folder(house):
    hidden = house / "core" / "hidden"
    hidden.mkdir()
    (hidden / "text.py").write_text("from accounts.models import User\n")
    assert lint(house).returncode == 0
    (hidden / "__init__.py").touch()
    assert lint(house).returncode == 1


@pytest.fixture
def house(tmp_path):
    """The same floors, and nothing in them."""
    for package in (
        *APPS,
        *(f"messaging/{each}" for each in ("log", "live", "followers", "services")),
    ):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    for package in ("faults", "bench"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    return tmp_path


@pytest.mark.parametrize(
    "module, line, caught",
    [
        ("core/text.py", "from accounts.models import User", "core -> accounts"),
        ("accounts/text.py", "from rooms import services", "accounts -> rooms"),
        ("rooms/text.py", "import messaging.live", "rooms -> messaging"),
        ("presence/text.py", "def late():\n    import accounts", "presence -> accounts"),
        ("messaging/log/text.py", "import interfaces", "messaging -> interfaces"),
        ("messaging/log/text.py", "from messaging import live", "log -> messaging.live"),
        ("messaging/live/text.py", "import messaging.services", "live -> messaging.services"),
        ("messaging/live/text.py", "import messaging.followers", "live -> messaging.followers"),
        ("messaging/followers/text.py", "import messaging.services", "-> messaging.services"),
        ("messaging/services/text.py", "import messaging.followers", "-> messaging.followers"),
        ("interfaces/text.py", "import chattalk", "interfaces -> chattalk"),
        ("core/text.py", "from core import other", "cycles"),
        ("chattalk/text.py", "from interfaces import x\nfrom messaging import y", None),
        ("messaging/services/text.py", "from messaging import live, log", None),
    ],
)
def test_a_trespass_is_seen(house, module, line, caught):
    (house / "core" / "other.py").write_text("from core import text\n")
    (house / module).write_text(f"{line}\n")
    (house / "core" / "text.py").touch()
    found = lint(house)
    assert found.returncode == (1 if caught else 0), found.stdout
    assert caught is None or caught in found.stdout.replace("is not allowed to import", "->")


@pytest.mark.parametrize(
    "client, homes",
    [
        ("confluent_kafka", {"interfaces/kafka/clients.py"}),
        ("mongoengine", {"presence/last_seen.py"}),
        ("pymongo", {"presence/last_seen.py", "presence/marks.py", "chattalk/embedded/probe.py"}),
    ],
)
def test_an_outside_client_has_one_home(client, homes):
    users = {
        str(file.relative_to(ROOT))
        for package in APPS
        for file in (ROOT / package).rglob("*.py")
        if client in imports(file.read_text())
    }
    assert users <= homes
