"""The frames of docs/wire.md: what a client may send, what it is sent, and how both are encoded."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

RESUME_MAX = 1_000  # events that a resume brings; who missed more loads the room anew
RESUME_BYTES_MAX = 512 * 1024  # and so that a resume is never itself too much for a socket
PAGE_BYTES = 256 * 1024  # of lines in one answer: what a slow reader makes us keep for so long
WATCH_MAX = 200  # rooms: as many as one socket may subscribe to
SUBSCRIPTIONS_MAX = 200  # rooms per socket
NAME_MAX = 64  # characters of what comes back in the answer

RoomId = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Seq = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Ref = Annotated[str, Meta(max_length=NAME_MAX)]


# --- from the client --------------------------------------------------------------------------


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


# --- to the client ----------------------------------------------------------------------------


class Person(Struct, frozen=True):
    id: int
    name: str


class Event(Struct, tag="event", tag_field="type", omit_defaults=True):
    """A line of a room's log as everyone sees it; the same for live, resumed and loaded ones."""

    room: int
    seq: int
    kind: str
    at: datetime
    sender: Person = msgspec.field(name="from")
    cid: UUID | None = None
    body: str = ""


class About(Struct, frozen=True):
    """A room as it is: what a page shows of it besides its lines."""

    title: str
    description: str
    capacity: int
    owner: int
    closed: bool
    personnel: int
    first: int  # the oldest line that is kept; one after the head where none is


_encoder = msgspec.json.Encoder()


def encode(frame: Struct | dict[str, Any]) -> bytes:
    return _encoder.encode(frame)


_LONGER = ((b"<", 5), (b">", 5), (b"&", 5), (b"\xe2\x80\xa8", 3), (b"\xe2\x80\xa9", 3))


def size(event: Event) -> int:
    """How many bytes it takes at most, whoever writes it: a page's JSON has `\\u003C` for `<`,
    and others `\\u2028` for that line end."""
    frame = encode(event)
    return len(frame) + sum(frame.count(one) * more for one, more in _LONGER)


def fitting(events: list[Event], most: int, *, from_end: bool = False) -> list[Event]:
    """The first of them, or the last, as far as the one that reaches `most` bytes."""
    left, kept = most, 0
    for event in reversed(events) if from_end else events:
        if left <= 0:
            break
        left -= size(event)
        kept += 1
    return events[len(events) - kept :] if from_end else events[:kept]


def plain(frame: Event | About) -> dict[str, Any]:
    """The same as JSON-ready Python values."""
    return msgspec.to_builtins(frame)
