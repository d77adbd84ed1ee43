"""A line of a room's log as everyone sees it, and how it is encoded and measured."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

PAGE_BYTES = 256 * 1024  # of lines in one answer: what a slow reader makes us keep for so long


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


_encoder, _decoder = msgspec.json.Encoder(), msgspec.json.Decoder(Event)


def encode(frame: Struct) -> bytes:
    return _encoder.encode(frame)


def decode(frame: bytes | memoryview) -> Event:
    """An event out of its frame. Raises msgspec.DecodeError for anything else."""
    return _decoder.decode(frame)


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
