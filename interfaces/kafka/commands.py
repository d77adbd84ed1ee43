"""What comes in by a topic, and what is answered to what was refused: docs/kafka.md.

Whoever may write to the topic speaks for anybody: Kafka says who that is.
"""

from typing import Annotated, Literal
from uuid import UUID, uuid5

import msgspec
from django.core.exceptions import PermissionDenied, ValidationError
from msgspec import Meta, Struct

VERSION = 1
NAMESPACE = UUID("6a1e2c0c-9a55-4b0d-8b4d-3f3f6f0f1c52")  # of ours, for ever
BAD_COMMAND = "bad_command"
UNKNOWN_SENDER = "unknown_sender"

_Number = Annotated[int, Meta(ge=1, le=2**63 - 1)]


class PostCommand(Struct, tag="post", tag_field="type", forbid_unknown_fields=True):
    """Say something in a room, as somebody who has a seat there."""

    version: Literal[1]
    room: _Number
    sender: _Number
    body: str


class CommandRefusal(Struct):
    """A command that was not done; it is found at that place of its topic."""

    version: int
    topic: str
    partition: int
    offset: int
    code: str
    detail: str


_decoder, _encoder = msgspec.json.Decoder(PostCommand), msgspec.json.Encoder()


def read(value: bytes | None) -> PostCommand:
    """Raises ValidationError."""
    try:
        return _decoder.decode(value or b"")
    except msgspec.MsgspecError as error:
        raise ValidationError(str(error), code=BAD_COMMAND) from error


def cid(topic: str, partition: int, offset: int) -> UUID:
    """The message's own id: a record that is read again is the same message."""
    return uuid5(NAMESPACE, f"{topic}/{partition}/{offset}")


def refusal(where: tuple[str, int, int], error: ValidationError | PermissionDenied) -> bytes:
    if isinstance(error, ValidationError):
        first = error.error_list[0]
        code, detail = first.code or "invalid", first.messages[0]
    else:
        code, detail = "not_member", str(error)
    return _encoder.encode(CommandRefusal(VERSION, *where, code, detail))
