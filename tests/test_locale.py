"""Korean is whole: every text is in the catalogue, translated, and compiled."""

import ast
import gettext
import re
from functools import cache
from pathlib import Path

import pytest
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
CATALOGUES = ROOT / "locale" / "ko" / "LC_MESSAGES"
APPS = ("accounts", "chattalk", "messaging", "presence", "rooms")
HINT = """
manage.py makemessages -l ko -i .venv -i var -i tests --no-obsolete --add-location file
The same once more with -d djangojs. Translate what is new. manage.py compilemessages -i .venv
"""

STRING = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
CALL = re.compile(rf"\b_?(?:_|n?gettext|n?pgettext)\(\s*((?:{STRING}\s*,?\s*)+)")
ENTRY = re.compile(r'^(msg\w+(?:\[\d\])?) ((?:"(?:[^"\\]|\\.)*"\n?)+)', re.M)


@cache
def entries(name):
    """What stands in a .po file: {(context, text): translations}, and whether any is fuzzy."""
    found = {}
    source = (CATALOGUES / f"{name}.po").read_text()
    for block in source.split("\n\n"):
        parts = {
            key: "".join(map(ast.literal_eval, text.split("\n")[: text.count('"\n') or 1]))
            for key, text in ENTRY.findall(block + "\n")
        }
        if parts.get("msgid"):
            translations = [text for key, text in parts.items() if key.startswith("msgstr")]
            found[parts.get("msgctxt"), parts["msgid"]] = translations
    return found, "fuzzy" in source


def literals(source):
    for call in CALL.finditer(source):
        yield [ast.literal_eval(text) for text in re.findall(STRING, call[1])]


def texts_of_pages():
    for path in (ROOT / "templates").rglob("*.html"):
        yield from literals(templatize(path.read_text(), origin=str(path)))


def texts_of_python():
    for path in (path for app in APPS for path in (ROOT / app).rglob("*.py")):
        if "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) in names:
                yield [node.args[0].value]


def texts_of_scripts():
    for path in (ROOT / "static" / "js").rglob("*.js"):
        yield from literals(re.sub(r"^\s*//.*", "", path.read_text(), flags=re.M))


@pytest.mark.parametrize("name", ["django", "djangojs"])
def test_every_text_is_translated(name):
    found, fuzzy = entries(name)
    assert found
    assert not fuzzy
    assert [key for key, texts in found.items() if not all(texts)] == []


@pytest.mark.parametrize("name", ["django", "djangojs"])
def test_a_translation_fills_in_the_same_things(name):
    def holes(text):
        return set(re.findall(r"%\(\w+\)\w", text))

    for (_context, text), translations in entries(name)[0].items():
        assert all(holes(translation) == holes(text) for translation in translations), text


@pytest.mark.parametrize("name", ["django", "djangojs"])
def test_what_is_compiled_is_what_is_written(name):
    with (CATALOGUES / f"{name}.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog
    plain = {}
    for key, text in compiled.items():
        words = key[0] if isinstance(key, tuple) else key
        context, _, words = words.rpartition("\x04")
        plain[context or None, words] = text
    plain.pop((None, ""))
    assert plain == {key: texts[0] for key, texts in entries(name)[0].items()}


@pytest.mark.parametrize(
    ("name", "texts"),
    [("django", texts_of_pages), ("django", texts_of_python), ("djangojs", texts_of_scripts)],
)
def test_no_text_is_missing_from_the_catalogue(name, texts):
    known = {text for _context, text in entries(name)[0]}
    said = list(texts())
    assert len(said) > 10
    assert [words for words in said if not known & set(words)] == [], HINT
