"""What a command says when a store does not do its part: a sentence, no traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError, OperationalError

from presence import last_seen


@contextmanager
def told() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise CommandError(
            f"PostgreSQL does not answer, or was too busy: {_first_line(error)}. "
            "The servers have to run: start manage.py up in another terminal."
        ) from error
    except DatabaseError as error:
        raise CommandError(f"PostgreSQL refused: {_first_line(error)}.") from error
    except last_seen.FAILURES as error:
        raise CommandError(f"MongoDB does not answer: {_first_line(error)}.") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
