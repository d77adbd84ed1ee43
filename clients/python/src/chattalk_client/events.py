"""The lines of a room's log, one class for each kind, as docs/wire.md has them.

match event:
    case Message(sender=who, body=text): ...
    case Leave(sender=who, how="removed"): ...
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from chattalk_client.shapes import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all lines have. `seq` counts 1, 2, 3 … in the room, without holes."""

    room: int
    seq: int
    kind: str
    at: datetime
    sender: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Event):
    """`cid` is the id that the sender's client gave it."""

    body: str
    cid: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enter(Event):
    """The sender took a seat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave(Event):
    """The sender gave up their seat, or the owner took it."""

    how: Literal["left", "removed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Close(Event):
    """The room takes no more messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Open(Event):
    """The room takes messages again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner(Event):
    """The sender owns the room now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Other(Event):
    """A kind that is newer than this client; `told` is the line as it came."""

    told: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """No line, but the lack of some: `after` < seq <= `upto` are kept no longer."""

    room: int
    after: int
    upto: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """No line: those with `after` < seq <= `upto` that were given out are not the room's any more,
    for the site has lost them. What came in their place follows, by the same numbers."""

    room: int
    after: int
    upto: int


RoomEvent = Message | Enter | Leave | Close | Open | Owner | Other | Pruned | Lost
Line = Message | Enter | Leave | Close | Open | Owner | Other
_PLAIN: dict[str, type[Enter] | type[Close] | type[Open] | type[Owner]] = {
    "enter": Enter,
    "close": Close,
    "open": Open,
    "owner": Owner,
}


def line(told: dict[str, Any]) -> Line:
    """One line, from a frame of type `event` or from a page."""
    common: dict[str, Any] = {
        "room": told["room"],
        "seq": told["seq"],
        "kind": told["kind"],
        "at": datetime.fromisoformat(told["at"]),
        "sender": Person.of(told["from"]),
    }
    match told["kind"]:
        case "message":
            return Message(**common, body=told["body"], cid=told.get("cid"))
        case "leave":
            return Leave(**common, how=told["body"])
        case kind if kind in _PLAIN:
            return _PLAIN[kind](**common)
    return Other(**common, told=told)


@dataclass(frozen=True, slots=True)
class Page:
    """A piece of a room's log, in the order of `seq`. `head` is the last `seq` of the room, `read`
    how far I have read; `earlier` and `later` say whether there is more on that side."""

    events: tuple[Line, ...]
    head: int
    read: int
    earlier: bool
    later: bool

    @classmethod
    def of(cls, told: dict[str, Any]) -> "Page":
        lines = tuple(map(line, told["results"]))
        earlier, later = told["previous"] is not None, told["next"] is not None
        return cls(lines, told["head"], told["read"], earlier, later)
