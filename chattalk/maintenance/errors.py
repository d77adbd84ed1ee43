"""What a command says when a store does not do its part: a sentence, no traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError, OperationalError

from core.text import first_line
from presence import last_seen


@contextmanager
def told() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise CommandError(
            f"PostgreSQL does not answer, or was too busy: {_said(error)}. "
            "The servers have to run: start manage.py up in another terminal."
        ) from error
    except DatabaseError as error:
        raise CommandError(f"PostgreSQL refused: {_said(error)}.") from error
    except last_seen.FAILURES as error:
        raise CommandError(f"MongoDB does not answer: {_said(error)}.") from error


def _said(error: Exception) -> str:
    return first_line(error).rstrip(".")
