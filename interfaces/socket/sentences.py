"""How a refusal is said at a socket."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from core.rate_limits import TOO_FAST
from messaging.live.drafts import UNAVAILABLE

TOO_MANY = ValidationError(_("Too many messages wait for an answer."), code="too_many")
# Sentences that are told thousands of times.
OF_FLOODS = {id(text) for text in (TOO_FAST, UNAVAILABLE, TOO_MANY.message)}

_texts: dict[tuple[str, int], str] = {}


def sentence(error: PermissionDenied | ValidationError, language: str) -> str:
    """Its sentence. To translate one costs a third of storing a message: a flood's is kept."""
    message = getattr(error, "message", None)
    if text := _texts.get((language, id(message))):
        return text
    with translation.override(language):
        text = error.messages[0] if isinstance(error, ValidationError) else str(error)
    if id(message) in OF_FLOODS:
        _texts[language, id(message)] = text
    return text
