"""A refusal over HTTP, as RFC 9457 writes it. Codes are stable, sentences are for people.

    {"type": "about:blank", "title": "Conflict", "status": 409, "code": "room_full",
     "detail": "This room is full. Try again later."}

`errors`, where several things are wrong or it matters which: `code`, `detail`, and where it is,
as `pointer` (RFC 6901, into the body) or `parameter` (of the address).
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, NamedTuple

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from core import metrics
from core.rate_limits import PASSING, retry_after

CONTENT_TYPE = "application/problem+json"
INVALID = "invalid"

# What the services' refusals are answered with; any other is 400.
STATUS = {
    "invalid_login": 401,
    "token_not_valid": 401,
    "conflict": 409,
    "not_member": 409,  # of somebody else, who would have to be one
    "room_closed": 409,
    "room_full": 409,
    "changed_meanwhile": 412,
    **PASSING,
}
REFUSALS = metrics.labelled(
    "chattalk_refusals_total",
    "What was asked and not done: by HTTP (problem, page) or on a socket (nack, error of STOMP).",
    "by",
    "code",
)


class Problem(NamedTuple):
    """What is answered, and for how many seconds it will not be otherwise."""

    body: dict[str, Any]
    retry_after: float | None = None


def problem(
    status: int,
    code: str,
    detail: object,
    *,
    errors: Iterable[dict[str, Any]] = (),
    retry_after: float | None = None,
) -> Problem:
    REFUSALS.add("problem", code)
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": str(detail),
    }
    return Problem(body | ({"errors": list(errors)} if errors else {}), retry_after)


def refused(error: ValidationError, where: str = "pointer") -> Problem:
    """A service's refusal; `where` names what its fields are: `pointer` or `parameter`."""
    if hasattr(error, "error_dict"):
        errors = [
            {"code": one.code or INVALID, "detail": one.messages[0]} | place(field, where)
            for field, found in error.error_dict.items()
            for one in found
        ]
        return problem(400, INVALID, errors[0]["detail"], errors=errors)
    first = error.error_list[0]
    code = first.code or INVALID
    status, wait = STATUS.get(code, 400), retry_after(first)
    return problem(status, code, first.messages[0], retry_after=wait)


def place(field: str, where: str) -> dict[str, str]:
    if field in ("", NON_FIELD_ERRORS):
        return {}
    return {where: f"/{field}" if where == "pointer" else field}
