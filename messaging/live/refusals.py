"""What a writer refuses, as a code that another process makes the same refusal of."""

from django.core.exceptions import ValidationError

from messaging.live.drafts import conflict, unavailable
from rooms import services as rooms

STORED, REPEATED = "stored", "repeated"
NOT_MEMBER = "not_member"
_MADE = {
    NOT_MEMBER: rooms.NotMember,
    "room_closed": rooms.closed,
    "conflict": conflict,
    "unavailable": unavailable,
}


def code_of(error: Exception) -> str:
    return (isinstance(error, ValidationError) and error.code) or NOT_MEMBER


def as_refusal(code: str) -> Exception:
    return _MADE.get(code, unavailable)()
