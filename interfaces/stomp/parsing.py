"""What stands in a client's headers and bodies. At most a ValueError comes of it."""

from datetime import datetime
from typing import Any
from urllib.parse import unquote
from uuid import UUID, uuid4, uuid5

import msgspec
from django.utils.translation import gettext as _
from msgspec import Struct

from core.problems import REFUSALS
from messaging.live import frames

SCHEME = "bearer"
NAMES = UUID("7d1b5e0a-3c1f-5f0e-9a55-0f7f3b8a6c11")  # of client ids that are no UUID


class Body(Struct):
    """The body of a SEND."""

    chatId: str | int = ""  # noqa: N815  (as on the wire)
    message: str = ""


_body = msgspec.json.Decoder(Body)
_seq = msgspec.json.Decoder(frames.Seq)


def body(raw: bytes) -> Body:
    """Raises ValueError."""
    try:
        return _body.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise ValueError from None


def bearer(value: str) -> str | None:
    """The token of a header or cookie that says `Bearer <token>`, `Bearer%20<token>`.

    What follows a `;` is another cookie: some clients take all to the end of their own.
    """
    scheme, _blank, token = unquote(value).split(";")[0].strip().partition(" ")
    return token.strip() or None if scheme.lower() == SCHEME else None


def seq(text: str | None) -> int | None:
    """A place in a room's log; None if it is none."""
    try:
        return _seq.decode(text) if text else None
    except (msgspec.DecodeError, UnicodeError):
        return None


def moment(text: str | None) -> datetime | None:
    """A time, as lines have it; None if it is none."""
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def client_id(text: str | None, user_id: int) -> UUID:
    """The message's id. Any text is one, and is its sender's own."""
    if not text:
        return uuid4()
    try:
        return UUID(text)
    except ValueError:
        return uuid5(NAMES, f"{user_id}:{text}")


def heart_beat(text: str) -> tuple[int, int] | None:
    """Milliseconds: what the client can send, what it wants to get; None if it can't be read."""
    first, comma, second = (part.strip() for part in text.partition(","))
    if not comma or not all(one.isascii() and one.isdigit() for one in (first, second)):
        return None
    return min(int(first[:9]), 10**8), min(int(second[:9]), 10**8)


def nothing_there(receipt: str | None) -> dict[str, Any]:
    """The fields of a nack."""
    REFUSALS.add("nack", "bad_frame")
    why = _("There is nothing at this destination, or the body is not what it takes.")
    return {"code": "bad_frame", "detail": why, "ref": receipt}
