"""Korean is whole: every text is in the catalogue, translated, and compiled."""

import ast
import gettext
import re
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

import django
import pytest
from django.utils.formats import date_format
from django.utils.translation import override
from django.utils.translation.template import templatize

from interfaces.admin.people import PersonForm
from interfaces.web.account_forms import PasswordForm, ProfileForm, SignInForm, SignUpForm
from interfaces.web.room_forms import RoomForm

ROOT = Path(__file__).resolve().parent.parent
CATALOGUES = ROOT / "locale" / "ko" / "LC_MESSAGES"
APPS = ("core", "accounts", "presence", "rooms", "messaging", "interfaces", "chattalk")
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


# One word for one thing, and none that only a translator would write.
NOT_OURS = {
    r"[)가-힣] 님": "님 follows the name without a space",
    "참여자": "멤버",
    r"최상위 사용자|슈퍼\s?유저": "최고 관리자",
    r"\d\+개|\)s\+": "… 이상",
    r"자 중 |쪽 중 ": "5,000 / 4,000자",
    r"(?:한|온|쓴) 때$": "… 시각",
    "할 일": "작업",
    "잦습니다|너무 빠릅니다": "요청이 너무 많습니다",
    "저희": "who we are is no matter",
    "여기서 |여기에는": "the reader knows where they are",
    r"^네, |^아뇨|^아니오, ": "a button is a noun: 닫기, 실행, 취소",
    "이 필드|이 값": "what to enter: 제목을 입력하세요",
    "양식": "요청",
    "오브젝트|액션|히스토리": "항목, 작업, 기록",
    r"십시오|시겠습니까": "-세요",
    "을/를|이/가|은/는|와/과": "을(를), or a text that needs none",
}


@pytest.mark.parametrize("name", ["django", "djangojs"])
@pytest.mark.parametrize("words", NOT_OURS)
def test_korean_has_one_word_for_one_thing(name, words):
    said = [text for texts in entries(name)[0].values() for text in texts]
    assert [text for text in said if re.search(words, text)] == [], NOT_OURS[words]


@pytest.mark.parametrize("name", ["django", "djangojs"])
def test_only_people_are_shown_out_with_the_word_for_it(name):
    for (_context, text), said in entries(name)[0].items():
        if "내보" in "".join(said):
            assert re.search("remove|show out", text, re.I), text


def test_what_of_djangos_we_say_ourselves_is_still_djangos():
    theirs = Path(django.__file__).parent
    places = [theirs / "conf", theirs / "contrib" / "admin", theirs / "contrib" / "auth"]
    known = set()
    for place in places:
        with (place / "locale/ko/LC_MESSAGES/django.mo").open("rb") as file:
            catalogue = gettext.GNUTranslations(file)._catalog
        known |= {key[0] if isinstance(key, tuple) else key for key in catalogue}
    source = (ROOT / "chattalk" / "words.py").read_text()
    tree = ast.parse(source[: source.index("AXES = ")])
    ours = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.args[0], ast.Constant)
    }
    assert len(ours) > 10
    assert ours - known == set()


def test_a_korean_hour_stands_behind_its_half_of_the_day():
    with override("ko"):
        at = datetime(2026, 11, 30, 5, 25, tzinfo=UTC)
        assert date_format(at, "DATETIME_FORMAT") == "2026년 11월 30일 오전 5:25"


@pytest.mark.parametrize(
    ("form", "asked"),
    [
        (SignUpForm, ["이메일을 입력하세요.", "이름을 입력하세요.", "비밀번호를 입력하세요."]),
        (SignInForm, ["이메일을 입력하세요.", "비밀번호를 입력하세요."]),
        (ProfileForm, ["이름을 입력하세요."]),
        (RoomForm, ["제목을 입력하세요.", "정원을 입력하세요."]),
        (PersonForm, ["이메일을 입력하세요.", "이름을 입력하세요."]),
        (partial(PasswordForm, None), ["비밀번호를 입력하세요."] * 3),
    ],
)
def test_an_empty_field_says_what_belongs_into_it(form, asked):
    with override("ko"):
        errors = form(data={}).errors.values()
        assert [text for texts in errors for text in texts] == asked
