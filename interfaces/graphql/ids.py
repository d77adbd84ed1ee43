"""Ids as a caller writes them."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from core import numbers


def number(id):
    """A room's or person's number as the other doors know it. Raises ValidationError(bad_id)."""
    if (found := numbers.number(id)) is None:
        raise bad_id()
    return found


def bad_id():
    return ValidationError(_("This is not an id."), code="bad_id")
