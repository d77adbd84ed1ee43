"""What a line of a log is in Kafka, and its schema for others: docs/kafka.md.

The key of a record is its room. Nothing is named that changes: people are numbers.
"""

from typing import Any

import msgspec
from msgspec import Struct

VERSION = 1


class RelayedLine(Struct, omit_defaults=True):
    """A line of a room's log."""

    version: int
    room: int
    seq: int
    kind: str
    at: str
    sender: int
    cid: str | None = None
    body: str = ""


class RelayPosition(Struct, frozen=True, omit_defaults=True):
    """How far a room's log was relayed: to which line, and when that was written, since another
    log may have a line of that number; and how many were pruned before they were relayed."""

    seq: int
    at: str | None = None
    missed: int = 0


_encode = msgspec.json.Encoder().encode
_positions = msgspec.json.Decoder(RelayPosition)


def key(room: int) -> bytes:
    return b"%d" % room


def line(room: int, row: tuple[Any, ...]) -> bytes:
    """The record of a row of messaging/log/relay.py."""
    seq, kind, at, sender, cid, body = row
    return _encode(RelayedLine(VERSION, room, seq, kind, at, sender, cid, body))


def position(found: RelayPosition) -> bytes:
    return _encode(found)


def read_position(value: bytes) -> RelayPosition:
    return _positions.decode(value)
