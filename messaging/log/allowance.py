"""How much text may be read for one asker, whatever they ask for in one go. It is counted before
any is read: PostgreSQL knows the length of a text without reading it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

WITHOUT_END = 2**63 - 1

_left: ContextVar[int] = ContextVar("texts", default=WITHOUT_END)


@contextmanager
def texts(most: int) -> Iterator[None]:
    """What is read within has so many bytes at most, all together."""
    token = _left.set(most)
    try:
        yield
    finally:
        _left.reset(token)


def left() -> int:
    return _left.get()


def spend(amount: int) -> None:
    """Raises ValidationError(too_complex)."""
    if amount > _left.get():
        text = _("That is more text than one answer holds. Ask for less at once.")
        raise ValidationError(text, code="too_complex")
    _left.set(_left.get() - amount)
