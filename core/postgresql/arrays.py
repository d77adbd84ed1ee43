"""Arrays as PostgreSQL reads them. For statements that are run all the time: psycopg's own way,
which looks at each word by three regular expressions, took half as long as the statement."""

from collections.abc import Iterable


def of_numbers(numbers: Iterable[int]) -> str:
    return of_plain(map(str, numbers))


def of_plain(words: Iterable[str]) -> str:
    """Words that need no quotes: numbers, UUIDs."""
    return "{" + ",".join(words) + "}"


def of_texts(texts: Iterable[str | None]) -> str:
    return of_plain(["NULL" if text is None else _quoted(text) for text in texts])


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
