"""The audit trail: staff and owners change what is not their own, and it is written down here.

It is the admin's own log, so it shows there as the history of the room or person it is about.
Written in the transaction of the change, by the service that makes it, whichever door asked.
"""

from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Model

from accounts.models import User


def record(by: User, target: Model, what: str) -> None:
    """`what` in English, as a person reads it: `removed Bob (7)`. People in it are `named`."""
    entry = LogEntry.objects.log_actions(by.pk, [target], CHANGE, what, single_object=True)
    assert entry is not None


def named(user_id: int) -> str:
    """`Bob (7)`: by the name of that moment, and by the number, for a name can change."""
    return f"{User.objects.get(pk=user_id)} ({user_id})"
