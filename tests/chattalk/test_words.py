"""The words of the code: docstrings begin with their subject."""

import ast
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
