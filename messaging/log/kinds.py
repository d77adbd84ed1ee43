"""The kinds of lines that a room's log may hold: this table says all that depends on the kind.

Nobody else asks which kind a line is; they ask for a property of it. docs/kinds.md tells how to add
one, and tests/messaging/test_kinds.py names what is still missing then.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """What stands in the database and on the wire, and the verb that staff read."""

    MESSAGE = "message", _("message")
    ENTER = "enter", _("entered")
    LEAVE = "leave", _("left")
    CLOSE = "close", _("closed the room")
    OPEN = "open", _("opened the room again")
    OWNER = "owner", _("is the owner now")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Every member sees a line, whatever its kind; and an export holds all of them."""

    fields: frozenset[str] = frozenset()  # what it has beside room, seq, kind, at and from
    is_unread: bool = False  # told by others: unread, missed, what the lobby counts
    is_missed: bool = False  # told to who asks for all that happened while they were away
    seats: int = 0  # what it does to the number of members
    changes_room: bool = False  # the room is not what it was: `about` is told after it
    sentence: str | Promise | None = None  # for wires that know only texts; None: its body


KINDS: dict[str, Rules] = {
    Kind.MESSAGE: Rules(fields=frozenset({"cid", "body"}), is_unread=True, is_missed=True),
    Kind.ENTER: Rules(seats=1, is_missed=True, sentence=_("%(name)s has entered.")),
    # Its body says how: `left` or `removed`.
    Kind.LEAVE: Rules(
        fields=frozenset({"body"}), seats=-1, is_missed=True, sentence=_("%(name)s has left.")
    ),
    Kind.CLOSE: Rules(changes_room=True, sentence=_("%(name)s closed the room")),
    Kind.OPEN: Rules(changes_room=True, sentence=_("%(name)s opened the room again")),
    Kind.OWNER: Rules(changes_room=True, sentence=_("%(name)s is the owner now")),
}

# A process of a newer version may tell of kinds that this one does not know: they have no property.
UNREAD = frozenset(kind for kind, rules in KINDS.items() if rules.is_unread)
MISSED = frozenset(kind for kind, rules in KINDS.items() if rules.is_missed)
GIVES_SEAT = frozenset(kind for kind, rules in KINDS.items() if rules.seats > 0)
TAKES_SEAT = frozenset(kind for kind, rules in KINDS.items() if rules.seats < 0)
HAS_SENTENCE = frozenset(kind for kind, rules in KINDS.items() if rules.sentence is not None)


def sentence(kind: str, name: str) -> str:
    """What a wire that knows only texts tells of a line without a text, in the current language;
    empty for an unknown kind and for one that has a text."""
    rules = KINDS.get(kind)
    return str(rules.sentence) % {"name": name} if rules and rules.sentence else ""


def in_sql(kinds: Iterable[str]) -> str:
    """`('enter', 'leave')`: constants, so that an index with a condition on them can be used."""
    return "({})".format(", ".join(f"'{kind}'" for kind in sorted(kinds)))
