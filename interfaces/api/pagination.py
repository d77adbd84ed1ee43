"""Opaque links to the next and the previous page, over keys that are unique and never change.

A cursor is what the next request asks, packed: `after` or `before` such a key. So a page never
skips or repeats a line, whatever came or went meanwhile.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request

from messaging.services import history

CURSOR_MAX = 200  # characters


class CursorPage(NamedTuple):
    rows: list[Any]
    next: dict[str, object] | None
    previous: dict[str, object] | None


def asked(request: Request) -> dict[str, str]:
    """The query, with what its cursor holds unpacked. Raises ValidationError(bad_request)."""
    query = request.query_params.dict()
    packed = query.pop("cursor", "")
    return query | (_unpack(packed) if packed else {})


def link(request: Request, packed: Mapping[str, object] | None) -> str | None:
    """The same request for another page."""
    if packed is None:
        return None
    query = request.query_params.copy()
    for name in ("after", "before", "since"):
        query.pop(name, None)
    query["cursor"] = base64.urlsafe_b64encode(urlencode(packed).encode()).decode().rstrip("=")
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def answer(
    request: Request, page: CursorPage, results: list[Any], **more: object
) -> dict[str, Any]:
    onward = {"next": link(request, page.next), "previous": link(request, page.previous)}
    return {**more, **onward, "results": results}


def by_id(
    found: QuerySet[Model], query: Mapping[str, str], *, newest_first: bool = False
) -> CursorPage:
    """A page in the order of ids, which are given once and never change.

    Raises ValidationError(bad_request).
    """
    span = history.span({name: query[name] for name in _SPAN if name in query})
    limit = span.get("limit", history.FIRST_PAGE)
    backward = "before" in span
    falling = backward != newest_first
    key = span.get("before", span.get("after"))
    if key is not None:
        found = found.filter(**{"pk__lt" if falling else "pk__gt": key})
    rows = list(found.order_by("-pk" if falling else "pk")[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    if backward:
        rows.reverse()
    ends = (rows[0].pk, rows[-1].pk) if rows else (key, key)
    has_next, has_previous = (True, more) if backward else (more, key is not None)
    return CursorPage(
        rows,
        {"after": ends[1]} if has_next and rows else None,
        {"before": ends[0]} if has_previous and rows else None,
    )


_SPAN = ("after", "before", "limit")


def _unpack(cursor: str) -> dict[str, str]:
    try:
        cursor = cursor[:CURSOR_MAX]
        whole = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(whole, altchars=b"-_", validate=True).decode("ascii")
        packed = dict(parse_qsl(text, strict_parsing=True))
    except (ValueError, binascii.Error):
        packed = {}
    if not packed.keys() <= {"after", "before", "since"} or not packed:
        raise ValidationError(_("This cursor is none of ours."), code="bad_request")
    return packed
