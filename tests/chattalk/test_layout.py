"""Who may import whom. The rules are in the house style; this keeps them."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAY_IMPORT = {
    "chattalk": {"messaging", "rooms", "presence", "accounts"},
    "messaging": {"rooms", "presence", "accounts"},
    "rooms": {"accounts"},
    "presence": set(),
    "accounts": set(),
}


def imports(source: str) -> set[str]:
    """The top-level packages that this module imports, wherever in it, by whatever form."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").split(".")[0])
    return found


def trespasses(package: str, source: str) -> set[str]:
    return (imports(source) & set(MAY_IMPORT)) - MAY_IMPORT[package] - {package}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_each_app_imports_only_what_it_may(package):
    files = list((ROOT / package).rglob("*.py"))
    assert files
    found = {str(file.relative_to(ROOT)): trespasses(package, file.read_text()) for file in files}
    assert {file: names for file, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "package, line, caught",
    [
        ("accounts", "from rooms import services", {"rooms"}),
        ("rooms", "import presence.services as here", {"presence"}),
        ("presence", "def late():\n    from accounts.models import User", {"accounts"}),
        ("messaging", "import chattalk.settings", {"chattalk"}),
        ("rooms", "from . import models\nfrom rooms.models import Room", set()),
        ("messaging", "from rooms import services as rooms", set()),
    ],
)
def test_the_rule_sees_a_trespass(package, line, caught):
    assert trespasses(package, line) == caught


@pytest.mark.parametrize(
    "client, homes",
    [
        ("mongoengine", {"presence/documents.py"}),
        ("pymongo", {"presence/documents.py", "chattalk/embedded/probe.py"}),
    ],
)
def test_an_outside_client_has_one_home(client, homes):
    users = {
        str(file.relative_to(ROOT))
        for package in MAY_IMPORT
        for file in (ROOT / package).rglob("*.py")
        if client in imports(file.read_text())
    }
    assert users <= homes
