"""Lines of a log with their frames, made once for all who get them, here and elsewhere."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from messaging.live.packets import Packet, packet, together
from messaging.log.event import Event, decode, encode
from messaging.log.kinds import TAKES_SEAT


class Entry(Struct, frozen=True, eq=False):
    """An event and its frame. It equals only itself, so what is made of it can be kept by it."""

    event: Event
    frame: Packet

    @property
    def seq(self) -> int:
        return self.event.seq


def line(event: Event) -> Entry:
    return Entry(event, packet(encode(event)))


def by_room(events: list[Event]) -> dict[int, list[Entry]]:
    rooms: dict[int, list[Entry]] = {}
    for event in events:
        rooms.setdefault(event.room, []).append(line(event))
    return rooms


class EntryBatch:
    """Lines in a row, handed out together: their frames are joined once for all who get them."""

    __slots__ = ("all", "first", "has_leaves", "last", "packet")

    def __init__(self, lines: Sequence[Entry]) -> None:
        self.all = lines
        self.first, self.last = lines[0].seq, lines[-1].seq
        self.has_leaves = any(line.event.kind in TAKES_SEAT for line in lines)
        self.packet = together([line.frame for line in lines])


def told_of(lines: Sequence[Entry]) -> dict[str, Any]:
    """What the other processes get of them, over the channel layer: the frames, encoded once."""
    return {"type": "lines", "frames": [line.frame.wire for line in lines]}


def heard_in(message: dict[str, Any]) -> list[Entry]:
    """The lines that another process told, whole: event and frame."""
    frames = map(Packet, message["frames"])
    return [Entry(decode(frame.payload), frame) for frame in frames]
