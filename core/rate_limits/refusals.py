"""What is said to who is over a limit: a code, a sentence, and how many seconds to wait."""

import math
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

TOO_FAST = _("Too fast. Try again in a moment.")
# What refuses for a while only, and the status that says so, at every door.
PASSING = {"rate_limited": 429, "locked_out": 429, "unavailable": 503}


def too_fast(seconds: float) -> ValidationError:
    """The limit is over in a moment."""
    return _limited(TOO_FAST, {"retry_after": seconds})


def too_often(seconds: int) -> ValidationError:
    """The limit takes minutes."""
    text = ngettext_lazy(
        "Too often. Try again in %(minutes)d minute.",
        "Too often. Try again in %(minutes)d minutes.",
        "minutes",
    )
    return _limited(text, {"minutes": math.ceil(seconds / 60), "retry_after": seconds})


def _limited(text: object, params: dict[str, float]) -> ValidationError:
    return ValidationError(text, code="rate_limited", params=params)  # type: ignore[arg-type]


def retry_after(refusal: ValidationError) -> float | None:
    """The seconds to wait; None if waiting changes nothing."""
    return refusal.params.get("retry_after") if isinstance(refusal.params, dict) else None


def told(response: HttpResponse, refusals: Iterable[ValidationError]) -> HttpResponse:
    """The page that shows the refusals, with the status and `Retry-After` of one that passes."""
    for refusal in refusals:
        seconds = retry_after(refusal)
        if seconds and refusal.code in PASSING:
            response.status_code = PASSING[refusal.code]
            response["Retry-After"] = str(seconds)
    return response
