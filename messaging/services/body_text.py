"""What may be said: the one place that normalises and judges the text of a message."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from core.text import composed, is_visible

BODY_MAX = 4_000  # characters (code points), after normalisation

_ALLOWED_CONTROLS = {"\n", "\t"}
_CONTROL = "Cc"
_SURROGATE = "Cs"


def clean(body: str) -> str:
    """The text as it is stored: NFC, line ends as \\n, nothing around it.

    Raises ValidationError with code bad_text, blank or too_long.
    """
    if len(body) > 4 * BODY_MAX:  # NFC does not shrink text by more: spare the work
        raise _too_long()
    if body.isascii() and body.isprintable():  # as most are: nothing in it can be otherwise
        text = body.strip()
    else:
        text = composed(body.replace("\r\n", "\n").replace("\r", "\n")).strip()
        _refuse_hidden(text)
    if not text:
        raise ValidationError(_("Write something first."), code="blank")
    if len(text) > BODY_MAX:
        raise _too_long()
    return text


def _refuse_hidden(text: str) -> None:
    characters = set(text)
    for char in characters:
        category = unicodedata.category(char)
        if category == _SURROGATE or (category == _CONTROL and char not in _ALLOWED_CONTROLS):
            raise ValidationError(_("The text holds characters that can't be sent."), "bad_text")
    if not any(map(is_visible, characters)):
        raise ValidationError(_("Write something first."), code="blank")


def _too_long() -> ValidationError:
    text = _("A message has at most %(limit)s characters.")
    return ValidationError(text, code="too_long", params={"limit": BODY_MAX})
