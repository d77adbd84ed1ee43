"""The words of the code: docstrings begin with their subject, and a class has one name."""

import ast
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
    "Asked": "STOMP's is rebuilt with its subscriptions, the socket's with its frames",
    "Draft": "the API's document names it; the message on its way is another",
    "Event": "a type of GraphQL, a table of Django, and the line that both show",
    "Me": "the API's document and GraphQL's schema name it",
    "Mutation": "GraphQL's root, and the original's part of it",
    "NewRoom": "the API's document names it; the original's request has other fields",
    "Node": "GraphQL's schema names it; the process's part of ChatTalk is another",
    "Page": "the original's REST and STOMP each turn pages in their own way",
    "Person": "GraphQL's schema names it; of the event it is the sender",
    "Query": "GraphQL's root, and the original's parts of it",
    "Room": "GraphQL's schema names it; the table is Django's",
    "Shown": "the API's document names it; STOMP's is a page of the original's client",
    "SignIn": "the API's document names it; the original's is a view",
}
# Django looks for these by name, and GraphQL's types have them inside.
FRAMEWORK = {"Command", "Meta", "Migration"}
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
