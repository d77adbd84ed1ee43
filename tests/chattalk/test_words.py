"""The words of the code: the glossary's, one name for each class, docstrings with a subject."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("core", "accounts", "presence", "rooms", "messaging", "interfaces", "chattalk")
FILES = [
    file
    for package in PRODUCT
    for file in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in file.parts
]
# "Who calls" may be a question, a clause or a name; a reader should not have to find out.
HARD_BEGINNINGS = {"Of", "Who", "Whose", "Whom"}
# Class names that stand twice, each with what keeps it. The list only becomes shorter.
TWICE = {
    "Event": "a table of Django, named in its migrations, and the line that is made of a row",
}
# Django looks for these by name, and GraphQL's types have them inside.
FRAMEWORK = {"Command", "Meta", "Migration"}
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()
ROW = re.compile(r"^\| ([^|`]+) \| ([^|]+) \| ([^|]*`[^|]*) \| ([^|]+) \|$", re.MULTILINE)
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def hard_docstrings(source: str) -> list[str]:
    found = [
        ast.get_docstring(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, DOCUMENTED)
    ]
    return [text for text in found if text and text.split()[0] in HARD_BEGINNINGS]


@pytest.mark.parametrize("package", PRODUCT)
def test_docstrings_begin_with_their_subject(package):
    files = [file for file in FILES if file.relative_to(ROOT).parts[0] == package]
    assert files
    hard = {str(file): hard_docstrings(file.read_text()) for file in files}
    assert {name: texts for name, texts in hard.items() if texts} == {}


def test_a_hard_docstring_is_seen():
    assert hard_docstrings('def f():\n    """Who calls."""') == ["Who calls."]
    assert hard_docstrings('def f():\n    """The caller."""') == []


def test_a_public_class_has_a_name_of_its_own():
    names = Counter(
        node.name
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    twice = {name for name, many in names.items() if many > 1} - FRAMEWORK
    assert twice - set(TWICE) == set(), "name it otherwise"
    assert set(TWICE) - twice == set(), "they are not twice any more: take them off the list"


def names_in(file: Path) -> set[str]:
    """Its modules, classes, functions and parameters, without underscores around them."""
    found = {file.stem, *file.relative_to(ROOT).parts[:-1]}
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        if isinstance(node, ast.arg):
            found.add(node.arg)
    return {name.strip("_") for name in found}


def test_a_term_stands_once_in_the_glossary():
    terms = Counter(term.strip() for term, *_ in ROW.findall(GLOSSARY))
    rows = [line for line in GLOSSARY.splitlines() if line.startswith("| ")]
    headings = sum(line.startswith("| term |") for line in rows)
    assert len(ROW.findall(GLOSSARY)) == len(rows) - headings > 50
    assert [term for term, many in terms.items() if many > 1] == []


def test_what_a_term_is_called_lives_where_the_glossary_says():
    for term, _meaning, home, _others in ROW.findall(GLOSSARY):
        path, *names = re.findall(r"`([^`]+)`", home)
        assert (ROOT / path).exists(), f"{term}: {path}"
        for name in names:
            source = "" if "/" in name else (ROOT / path).read_text()
            assert "/" in name or re.search(rf"\b{name}\b", source), f"{term}: {name} in {path}"


def test_no_name_in_code_is_a_word_that_the_glossary_rules_out():
    ruled_out = {
        name: term
        for term, _meaning, _home, others in ROW.findall(GLOSSARY)
        for name in re.findall(r"`([^`]+)`", others)
    }
    assert "vault" in ruled_out and len(ruled_out) > 30
    found = {
        (str(file.relative_to(ROOT)), name, ruled_out[name])
        for file in FILES
        for name in names_in(file) & ruled_out.keys()
    }
    assert found == set(), "the glossary has another word for it"


def test_a_ruled_out_name_would_be_seen(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    file = tmp_path / "core" / "vault.py"
    file.parent.mkdir()
    file.write_text("class Here:\n    def _census(self, *, tally): ...\n")
    assert names_in(file) >= {"core", "vault", "Here", "census", "tally"}
