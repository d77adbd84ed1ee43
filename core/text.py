"""Texts that can be seen, and lines that name somebody or something: a display name, an error."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# Letters, numbers, punctuation, symbols, and what a font of one's own has. Marks are drawn on what
# stands before them: alone they are nothing to read, and variation selectors not even a mark.
_SEEN = frozenset("LNPS")
_PRIVATE = "Co"
# Such by their category, but drawn as nothing: the Hangul fillers, the blank braille cell, the null
# notehead.
_DRAWN_AS_NOTHING = frozenset("\u115f\u1160\u3164\uffa0\u2800\U0001d159")
# They turn the text around them, so that a name can look like another one.
_DIRECTION_MARKS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Control characters, halves of surrogate pairs, private use, line and paragraph separators.
_REFUSED_CATEGORIES = frozenset(("Cc", "Cs", "Co", "Zl", "Zp"))


def one_line(text: str) -> str:
    """The text as it is stored (NFC, trimmed), or ValidationError: bad_text, blank."""
    if any(_is_refused(character) for character in text.strip()):
        raise ValidationError(_("Some of these characters can't be used here."), code="bad_text")
    line = " ".join(composed(text).split())
    if not any(is_visible(character) for character in line):
        raise ValidationError(_("Write something that can be seen."), code="blank")
    return line


def composed(text: str) -> str:
    """As texts are stored: what is looked for must have the same letters, and some systems write
    Hangul and accents in pieces."""
    return unicodedata.normalize("NFC", text)


def first_line(error: BaseException) -> str:
    """What libpq says goes over many."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _is_refused(character: str) -> bool:
    return character in _DIRECTION_MARKS or unicodedata.category(character) in _REFUSED_CATEGORIES


def is_visible(character: str) -> bool:
    """A text without any such is blank, at every door and in every field."""
    category = unicodedata.category(character)
    is_seen = category[0] in _SEEN or category == _PRIVATE
    return is_seen and character not in _DRAWN_AS_NOTHING
