"""Pages of a room's log, and its members with how they are."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.numbers import number
from messaging import log
from messaging.log.event import PAGE_BYTES, plain
from presence import services as presence
from rooms.models import Membership

FIRST_PAGE = 50  # events shown at once
HISTORY_MAX = 100  # events in one answer
HISTORY_BYTES = PAGE_BYTES


def history(
    room_id: int, *, before: int | None = None, after: int | None = None, limit: int = FIRST_PAGE
) -> dict[str, Any]:
    """A page of the log, oldest first, and whether there is more on its far side."""
    return _lines(room_id, before=before, after=after, limit=limit, most=HISTORY_BYTES)


def _lines(
    room_id: int, *, before: int | None = None, after: int | None = None, limit: int, most: int
) -> dict[str, Any]:
    found, more = log.page(room_id, before=before, after=after, limit=limit, most=most)
    return {"events": [plain(event) for event in found], "more": more}


def span(asked: Mapping[str, str]) -> dict[str, int]:
    """`before` or `after`, and `limit`, as someone typed them into an address."""
    if "before" in asked and "after" in asked:
        raise ValidationError(_("Ask for what was before or after, not both."), code="bad_request")
    bounds = {"before": log.SEQ_MAX, "after": log.SEQ_MAX, "limit": HISTORY_MAX}
    return {name: _whole(asked, name, most) for name, most in bounds.items() if name in asked}


def _whole(asked: Mapping[str, str], name: str, most: int) -> int:
    low = 1 if name == "limit" else 0
    value = number(asked[name])
    if value is None or not low <= value <= most:
        text = _("%(name)s must be a whole number from %(low)d to %(most)d.")
        params = {"name": name, "low": low, "most": most}
        raise ValidationError(text, code="bad_request", params=params)
    return value


def seats(room_id: int) -> QuerySet[Membership]:
    # Uses index: membership_once (by room).
    return Membership.objects.filter(room_id=room_id).select_related("user")


def with_states(room_id: int, seats: Iterable[Membership]) -> Iterable[Membership]:
    """Each with its `state`: whether they are here, and since when not; None where unknown."""
    states = presence.states(room_id, [seat.user_id for seat in seats])
    for seat in seats:
        seat.state = states.get(seat.user_id)
    return seats
