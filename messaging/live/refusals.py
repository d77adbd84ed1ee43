"""Why a writer refuses something, and as a code that another process makes the same refusal of."""

from django.core.exceptions import ValidationError

from messaging.live.drafts import Outcome, conflict, unavailable
from rooms import services as rooms

STORED, REPEATED = "stored", "repeated"
NOT_MEMBER = "not_member"
_MADE = {
    NOT_MEMBER: rooms.NotMember,
    "room_closed": rooms.closed,
    "conflict": conflict,
    "unavailable": unavailable,
}


def refusal(found: Outcome) -> Exception:
    """Why it is not stored, of what was judged."""
    if not found.same:
        return conflict()
    return rooms.closed() if found.is_member and found.is_closed else rooms.NotMember()


def code_of(error: Exception) -> str:
    return (isinstance(error, ValidationError) and error.code) or NOT_MEMBER


def as_refusal(code: str) -> Exception:
    return _MADE.get(code, unavailable)()
