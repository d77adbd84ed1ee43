"""The papers name what is there: files, folders, links, and the names in docs/architecture.md."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
FOLDERS = (
    "core", "accounts", "presence", "rooms", "messaging", "interfaces", "chattalk", "templates",
    "static", "locale", "tests", "bench", "faults", "docs", "findings", "clients", "deploy",
)  # fmt: skip
# A path that begins with a folder of ours, or any that ends as a file of ours does.
PATH = re.compile(
    rf"`((?:{'|'.join(FOLDERS)})/[\w./*…-]*|[\w./-]+/[\w.-]+\.(?:py|mjs|js|lua))(?:::\w+)?`"
)
TEST_RUN = re.compile(r"make test ARGS=\"?(tests[\w/.]*)")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
STEP = re.compile(r"^\d+\. `([^`]+)`: ((?:`[^`]+`(?:, )?)+)\.", re.MULTILINE)
STEPS_MAX = 10  # files that a reader opens to follow one way to its end


def ways() -> dict[str, list[tuple[str, list[str]]]]:
    """Title of each way: its files, and what is named of each."""
    sections = re.findall(r"^## (The way of .+)\n([\s\S]+?)(?=^## )", ARCHITECTURE, re.MULTILINE)
    return {
        title: [(file, re.findall(r"`([^`]+)`", names)) for file, names in STEP.findall(text)]
        for title, text in sections
    }


def python_names(source: str) -> set[str]:
    """Classes, functions and constants of a module, and `Class.method`."""
    found: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = [one for one in node.body if isinstance(one, ast.FunctionDef)]
            methods += [one for one in node.body if isinstance(one, ast.AsyncFunctionDef)]
            found |= {f"{node.name}.{method.name}" for method in methods}
        if isinstance(node, ast.Assign):
            found |= {one.id for one in node.targets if isinstance(one, ast.Name)}
    return found


def script_names(source: str) -> set[str]:
    """Functions and methods of a script."""
    return set(re.findall(r"^(?:export )?(?:async )?(?:function )? *(\w+)\(.*\{$", source, re.M))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page):
    text = page.read_text()
    for name in PATH.findall(text) + TEST_RUN.findall(text):
        pattern = name.split("…")[0].rstrip("/")
        assert list(ROOT.glob(pattern)), f"{page.name} names {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_a_page_lead_somewhere(page):
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_four_ways_are_told():
    told = ["a message", "a join", "a token", "a follower"]
    assert list(ways()) == [f"The way of {each}" for each in told]
    assert all(len(steps) >= 8 for steps in ways().values())


@pytest.mark.parametrize("title", ways())
def test_a_way_opens_few_files_each_once(title):
    files = [file for file, _names in ways()[title]]
    section = ARCHITECTURE.split(f"## {title}\n")[1].split("\n## ")[0]
    assert len(files) == len(re.findall(r"^\d+\. ", section, re.MULTILINE)), "a step has no file"
    assert len(files) <= STEPS_MAX and len(files) == len(set(files))


@pytest.mark.parametrize("title", ways())
def test_each_step_names_what_is_in_its_file(title):
    for file, names in ways()[title]:
        source = (ROOT / file).read_text()
        there = python_names(source) if file.endswith(".py") else script_names(source)
        assert set(names) <= there, f"{file}: {set(names) - there}"


def test_the_first_page_stays_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 130
