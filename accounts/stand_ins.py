"""What people are called on a wire that has one text for a person (the original's, STOMP).

A client of it takes the line whose name is its own e-mail for its own. So oneself is named by the
e-mail, and everybody else by a stand-in, never by the e-mail: the display name, and the person's
number, which makes it unique. No e-mail ends so, and nobody can give themselves another's name.
"""

import re

from accounts.models import DISPLAY_NAME_MAX, User

_WORD = re.compile(r"[^\W\d_]+")
NOBODY = "guest"  # whose address has no letters


def stand_in(user_id: int, name: str) -> str:
    """What others call this person."""
    return f"{name}#{user_id}"


def shown(user_id: int, name: str, to: User) -> str:
    """This person's name for that reader."""
    return to.email if user_id == to.pk else stand_in(user_id, name)


def from_email(email: str) -> str:
    """A display name for who gives none: the first word of the address, and no more of it."""
    word = _WORD.search(email.split("@")[0])
    return word[0][:DISPLAY_NAME_MAX] if word else NOBODY
