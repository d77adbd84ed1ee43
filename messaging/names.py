"""What people are called: as it is now, at every door.

A name stands in the person's row, and what is read from the log is read with it. What a process
keeps for later, it mends when a name changes: who its sockets are, who is here, the lines that are
ready for those who come back. It hears of it by the channel layer; where that lost it, or the row
was changed past all of us, by the look at the sign-ins (sockets.py), within 2 s.
"""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from accounts.models import User
from messaging import node
from messaging.wire import Person


def person_changed(
    instance: User, created: bool, update_fields: Iterable[str] | None = None, **_signal: Any
) -> None:
    """A receiver, as that of accounts/tokens.py is one: people are saved in many ways."""
    if not created and (update_fields is None or "display_name" in update_fields):
        person = Person(instance.pk, instance.display_name)
        transaction.on_commit(lambda: _tell(person), robust=True)


def _tell(person: Person) -> None:
    if (serving := node.running()) is not None:
        serving.loop.call_soon_threadsafe(serving.renamed, person)
