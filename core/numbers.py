"""The numbers of people, rooms and lines, as clients write them: what the database can hold, and
nothing else is one. Read here and nowhere else, for `int` takes what is no number of ours ("1_0",
" 7", "٣") and raises for more than 4,300 digits.
"""

from django.urls.converters import StringConverter

MOST = 2**63 - 1
DIGITS = len(str(MOST))


def number(text: str) -> int | None:
    """None for what is none."""
    if len(text) <= DIGITS and text.isascii() and text.isdigit() and int(text) <= MOST:
        return int(text)
    return None


class Number(StringConverter):
    """`<number:…>` of a route (accounts/apps.py): what is no number is no address."""

    regex = f"[0-9]{{1,{DIGITS}}}"

    def to_python(self, value: str) -> int:  # type: ignore[override]
        if (found := number(value)) is None:
            raise ValueError(value)
        return found
