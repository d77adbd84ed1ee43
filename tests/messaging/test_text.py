import pytest
from django.core.exceptions import ValidationError

from messaging.services.body_text import BODY_MAX, clean


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("hello", "hello"),
        ("  hello \n", "hello"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\u1112\u1161\u11ab", "한"),  # jamo, composed
        ("e\u0301", "é"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),  # joiners inside are kept
        ("<b>bold</b>", "<b>bold</b>"),
        ("tab\there", "tab\there"),
        ("ᄋ", "ᄋ"),
        ("ㅋ", "ㅋ"),
        ("1\ufe0f\u20e3", "1\ufe0f\u20e3"),
        ("।", "।"),
        ("\uf8ff", "\uf8ff"),  # whose font has it sees it
        ("x" * BODY_MAX, "x" * BODY_MAX),
        ("한" * BODY_MAX, "한" * BODY_MAX),
    ],
)
def test_text_is_kept_in_normal_form(said, kept):
    assert clean(said) == kept


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("", "blank"),
        (" \t\n", "blank"),
        ("\u200b\u200d\ufeff", "blank"),
        ("\u3164", "blank"),  # Hangul filler: drawn as nothing
        ("\u2800", "blank"),
        ("\ufe0f\u034f", "blank"),  # marks with nothing to stand on
        ("\U0001d159", "blank"),  # a symbol that is drawn as nothing
        ("x" * (BODY_MAX + 1), "too_long"),
        ("x" * 1_000_000, "too_long"),
        ("nul\x00", "bad_text"),
        ("bell\x07", "bad_text"),
        ("\ud800", "bad_text"),
        ("half \udc00 pair", "bad_text"),
    ],
)
def test_what_cannot_be_said_is_refused_with_its_code(said, code):
    with pytest.raises(ValidationError) as refusal:
        clean(said)
    assert refusal.value.code == code
