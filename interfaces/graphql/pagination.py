"""Pages of long lists, as Relay asks for them: `first` after a place, or `last` before one."""

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from core import numbers

PAGE = 20  # items, unless asked otherwise
PAGE_MAX = 100

Place = tuple[int, ...]  # where an item stands in its order: what a cursor holds


class PageRequest(NamedTuple):
    """`first` or `last` items between two places, both of them left out."""

    size: int = PAGE
    backwards: bool = False
    after: Place | None = None
    before: Place | None = None


class Found(NamedTuple):
    """The items of a page in their order, and whether more follow on its far side."""

    items: Sequence[Any]
    more: bool


def check_size(size: int | None) -> None:
    if size is not None and not 1 <= size <= PAGE_MAX:
        text = _("A page has 1 to %(most)d items.")
        raise ValidationError(text, code="bad_page", params={"most": PAGE_MAX})


def page(
    width: int,
    first: int | None = None,
    last: int | None = None,
    after: str | None = None,
    before: str | None = None,
) -> PageRequest:
    """What a client asks for; its cursors hold `width` numbers. Raises ValidationError (bad_page,
    bad_cursor)."""
    if first is not None and last is not None:
        raise ValidationError(_("Ask for the first or the last items, not both."), code="bad_page")
    check_size(first)
    check_size(last)
    size = PAGE if first is None and last is None else first or last or 0
    return PageRequest(size, last is not None, _place(after, width), _place(before, width))


def cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(",".join(map(str, place)).encode()).decode()


def _place(cursor: str | None, width: int) -> Place | None:
    if cursor is None:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor[:64].encode("ascii")).decode("ascii")
        place = tuple(numbers.number(part) for part in text.split(","))
    except (ValueError, binascii.Error):
        place = ()
    known = tuple(one for one in place if one is not None)
    if not len(place) == len(known) == width:
        raise ValidationError(_("This cursor is none of ours."), code="bad_cursor")
    return known


def found(items: Iterable[Any], page: PageRequest) -> Found:
    """A page of what was asked for: one item more than it has, in the order of its direction."""
    asked = list(items)
    kept = asked[: page.size]
    return Found(kept[::-1] if page.backwards else kept, len(asked) > page.size)


def connection(found: Found, page: PageRequest, place: Callable[[Any], Place]) -> dict[str, Any]:
    """`{edges: [{node, cursor}], page_info}`. There is a page before, if one came from there."""
    edges = [{"node": item, "cursor": cursor(place(item))} for item in found.items]
    came_from = (page.before if page.backwards else page.after) is not None
    info = {
        "has_next_page": came_from if page.backwards else found.more,
        "has_previous_page": found.more if page.backwards else came_from,
        "start_cursor": edges[0]["cursor"] if edges else None,
        "end_cursor": edges[-1]["cursor"] if edges else None,
    }
    return {"edges": edges, "page_info": info}
