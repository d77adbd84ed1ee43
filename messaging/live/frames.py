"""The frames of docs/wire.md: what a client may send, what it is sent, and how both are encoded."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

RESUME_MAX = 1_000  # events that a resume brings; who missed more loads the room anew
RESUME_BYTES_MAX = 512 * 1024  # and so that a resume is never itself too much for a socket
WATCH_MAX = 200  # rooms: as many as one socket may subscribe to
SUBSCRIPTIONS_MAX = 200  # rooms per socket
NAME_MAX = 64  # characters of what comes back in the answer

RoomId = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Seq = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Ref = Annotated[str, Meta(max_length=NAME_MAX)]


class Asked(Struct, tag_field="type"):
    ref: Ref | None = msgspec.field(default=None)


class Subscribe(Asked, tag="subscribe", kw_only=True):
    room: RoomId
    after: Seq | None = None


class Unsubscribe(Asked, tag="unsubscribe", kw_only=True):
    room: RoomId


class Send(Asked, tag="send", kw_only=True):
    room: RoomId
    cid: UUID
    body: str


class Typing(Asked, tag="typing", kw_only=True):
    room: RoomId


class Read(Asked, tag="read", kw_only=True):
    room: RoomId
    seq: Seq


class Watch(Asked, tag="watch", kw_only=True):
    rooms: Annotated[list[RoomId], Meta(max_length=WATCH_MAX)]


class Ping(Asked, tag="ping", kw_only=True):
    pass


Frame = Subscribe | Unsubscribe | Send | Typing | Read | Watch | Ping
_decoder = msgspec.json.Decoder(Frame)


class BadFrame(ValueError):
    """Says why. `names`: its `ref` and `cid` as far as they can be read, for the answer to it."""

    def __init__(self, why: str, names: dict[str, str] | None = None) -> None:
        super().__init__(why)
        self.names = names or {}


class _Names(Struct):
    ref: Any = None
    cid: Any = None


_names_decoder = msgspec.json.Decoder(_Names)


def decode(text: str | bytes) -> Frame:
    """One frame of a client. Raises BadFrame, whatever the bytes are."""
    try:
        return _decoder.decode(text)
    except RecursionError:
        raise BadFrame("nested too deep") from None
    except UnicodeError:
        raise BadFrame("not UTF-8") from None
    except msgspec.ValidationError as error:
        raise BadFrame(str(error), _names(text)) from None
    except msgspec.DecodeError as error:
        raise BadFrame(str(error)) from None


def _names(text: str | bytes) -> dict[str, str]:
    try:
        names = _names_decoder.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return {}  # the first fault was not the only one
    found = {"ref": names.ref, "cid": names.cid}
    return {
        name: value
        for name, value in found.items()
        if isinstance(value, str) and len(value) <= NAME_MAX
    }
