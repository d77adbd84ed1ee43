"""JSON as it comes from outside: read once, strictly, and never an error of ours.

Refused: over BODY_MAX, not UTF-8, NaN and its like, a name twice in one object, half a surrogate
pair, NUL, whole numbers and nesting without end.
"""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

BODY_MAX = 64 * 1024  # bytes


class TooLarge(APIException):
    status_code = 413
    default_code = "too_large"

    def __init__(self, most: int) -> None:
        super().__init__(_("A request here has at most %(most)d KiB.") % {"most": most // 1024})


class StrictJson(BaseParser):
    media_type = "application/json"
    most = BODY_MAX

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        raw = stream.read(self.most + 1)
        if len(raw) > self.most:
            raise TooLarge(self.most)
        try:
            return _read(raw)
        except (ValueError, RecursionError):
            raise ParseError(_("This is not JSON as it is read here.")) from None


def _read(raw: bytes) -> dict[str, Any]:
    body = json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_refuse)
    if not isinstance(body, dict):
        raise ValueError("not an object")
    if b"\\u" in raw:
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair has no UTF-8
    return body


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) < len(pairs):
        raise ValueError("a name twice")
    return named


def _refuse(constant: str) -> None:
    raise ValueError(constant)
