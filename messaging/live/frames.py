"""The frames of docs/wire.md: what a client may send, and what it is told (`…Frame`)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from messaging.log import LastLine
from messaging.log.event import About, Event, Person

RESUME_MAX = 1_000  # events that a resume brings; who missed more loads the room anew
RESUME_BYTES_MAX = 512 * 1024  # and so that a resume is never itself too much for a socket
WATCH_MAX = 200  # rooms: as many as one socket may subscribe to
SUBSCRIPTIONS_MAX = 200  # rooms per socket
NAME_MAX = 64  # characters of what comes back in the answer
VERSION = 1  # of the wire

RoomId = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Seq = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Ref = Annotated[str, Meta(max_length=NAME_MAX)]


class ClientFrame(Struct, tag_field="type"):
    ref: Ref | None = msgspec.field(default=None)


class Subscribe(ClientFrame, tag="subscribe", kw_only=True):
    room: RoomId
    after: Seq | None = None
    at: datetime | None = None  # of that line, as it came

    @property
    def last_line(self) -> LastLine | None:
        """The last one that the client has."""
        return None if self.after is None else LastLine(self.after, self.at)


class Unsubscribe(ClientFrame, tag="unsubscribe", kw_only=True):
    room: RoomId


class Send(ClientFrame, tag="send", kw_only=True):
    room: RoomId
    cid: UUID
    body: str


class Typing(ClientFrame, tag="typing", kw_only=True):
    room: RoomId


class Read(ClientFrame, tag="read", kw_only=True):
    room: RoomId
    seq: Seq


class Watch(ClientFrame, tag="watch", kw_only=True):
    rooms: Annotated[list[RoomId], Meta(max_length=WATCH_MAX)]


class Ping(ClientFrame, tag="ping", kw_only=True):
    pass


Frame = Subscribe | Unsubscribe | Send | Typing | Read | Watch | Ping
_decoder = msgspec.json.Decoder(Frame)


class BadFrame(ValueError):
    """Says why. `names`: its `ref` and `cid` as far as they can be read, for the answer to it."""

    def __init__(self, why: str, names: dict[str, str] | None = None) -> None:
        super().__init__(why)
        self.names = names or {}

    @property
    def answer(self) -> "NackFrame":
        cid, ref = self.names.get("cid"), self.names.get("ref")
        return NackFrame(code="bad_frame", detail=str(self), cid=cid, ref=ref)


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


# --- what a client is told ------------------------------------------------------------------------


class ServerFrame(Struct, tag_field="type", kw_only=True, omit_defaults=True):
    """A frame to one client or to many. Its fields go out in the order in which they stand here;
    one that is None is left out."""


class HelloFrame(ServerFrame, tag="hello", kw_only=True):
    user: Person
    heartbeat: int  # seconds between `heads`
    version: int


class SubscribedFrame(ServerFrame, tag="subscribed", kw_only=True):
    room: int
    head: int
    after: int
    read: int
    recovered: bool
    kept: int | None = None  # where the log has gone back: up to there it is what the client has
    about: About
    ref: str | None = None


class AckFrame(ServerFrame, tag="ack", kw_only=True):
    cid: UUID
    room: int
    seq: int
    at: datetime
    repeated: bool
    ref: str | None = None


class NackFrame(ServerFrame, tag="nack", kw_only=True):
    code: str
    detail: str
    room: int | None = None
    cid: UUID | str | None = None  # of a bad frame: whatever text stood there
    retry_after: float | None = None  # seconds
    ref: str | None = None


class Departure(Struct):
    """Somebody who is not here any more."""

    id: int
    at: str  # RFC 3339


class PresenceFrame(ServerFrame, tag="presence", kw_only=True):
    room: int
    full: bool
    count: int
    here: list[Person] | None = None
    came: list[Person] | None = None
    went: list[Departure] | None = None
    degraded: bool


class TypingFrame(ServerFrame, tag="typing", kw_only=True):
    room: int
    user: Person


class UnsubscribedFrame(ServerFrame, tag="unsubscribed", kw_only=True):
    room: int
    code: str  # `asked`, `left` or `removed`
    ref: str | None = None


class WatchedRoom(Struct):
    room: int
    head: int
    personnel: int


class WatchingFrame(ServerFrame, tag="watching", kw_only=True):
    rooms: list[WatchedRoom]
    ref: str | None = None


class ActivityFrame(ServerFrame, tag="activity", kw_only=True):
    room: int
    after: int
    head: int
    personnel: int
    messages: dict[int, int]  # user id: how many


class AboutFrame(ServerFrame, tag="about", kw_only=True):
    room: int
    about: About


class ReadFrame(ServerFrame, tag="read", kw_only=True):
    room: int
    seq: int


class SeatFrame(ServerFrame, tag="seat", kw_only=True):
    room: int
    taken: bool


class HeadsFrame(ServerFrame, tag="heads", kw_only=True):
    rooms: dict[int, int]  # room: its last seq


class PongFrame(ServerFrame, tag="pong", kw_only=True):
    ref: str | None = None


# A line of the log is what it is for everyone: messaging/log/event.py has it.
SERVER_FRAMES: tuple[type[Struct], ...] = (*ServerFrame.__subclasses__(), Event)


def presence(values: dict[str, Any]) -> bytes:
    """What presence/ says of a room, which knows no frames: a PresenceFrame, word for word. To make
    one of 200 names only to encode it took three times as long as that."""
    return msgspec.json.encode(values)


class CloseReason(Struct):
    """The reason of a close frame."""

    retry_after: float  # seconds
