"""Lines of a log with their frames, made once for all who get them, here and elsewhere.

What another process tells stays as it came: a room's lines are one piece of bytes that sockets get
as it is. It is taken apart, and an event decoded, only where somebody asks for it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

import msgspec
from msgspec import Raw, Struct

from messaging.live.packets import Packet, packet, together
from messaging.log.event import Event, decode, encode
from messaging.log.kinds import TAKES_SEAT, UNREAD


class Entry:
    """An event and its frame. It equals only itself, so what is made of it can be kept by it."""

    __slots__ = ("_event", "frame", "seq")

    def __init__(self, seq: int, frame: Packet, event: Event | None = None) -> None:
        self.seq, self.frame, self._event = seq, frame, event

    @property
    def event(self) -> Event:
        if self._event is None:
            self._event = decode(self.frame.payload)
        return self._event


def line(event: Event) -> Entry:
    return Entry(event.seq, packet(encode(event)), event)


class EntryBatch:
    """Lines in a row, handed out together: their frames are joined once for all who get them."""

    __slots__ = ("_all", "began", "ended", "first", "has_leaves", "last", "packet")

    def __init__(
        self,
        first: int,
        packet: Packet,
        times: tuple[datetime, datetime],
        *,
        many: int,
        has_leaves: bool,
        lines: Sequence[Entry] | None = None,
    ) -> None:
        self.first, self.last = first, first + many - 1
        self.packet = packet
        self.began, self.ended = times  # when the first and the last of them were written
        self.has_leaves = has_leaves
        self._all = lines

    @property
    def many(self) -> int:
        return self.last - self.first + 1

    @property
    def all(self) -> Sequence[Entry]:
        if self._all is None:
            self._all = [Entry(self.first + n, one) for n, one in enumerate(self.packet.singles)]
        return self._all

    def line(self, seq: int) -> Entry:
        return self.all[seq - self.first]

    def after(self, seq: int) -> "EntryBatch":
        """The lines after that one; there has to be one."""
        return self if seq < self.first else batch(self.all[seq + 1 - self.first :])


def batch(lines: Sequence[Entry]) -> EntryBatch:
    """Lines that follow each other, as one."""
    events = [line.event for line in lines]
    return EntryBatch(
        lines[0].seq,
        together([line.frame for line in lines]),
        (events[0].at, events[-1].at),
        many=len(lines),
        has_leaves=not TAKES_SEAT.isdisjoint([event.kind for event in events]),
        lines=lines,
    )


def joined(batches: Sequence[EntryBatch]) -> EntryBatch:
    """Batches that follow each other, as one."""
    if len(batches) == 1:
        return batches[0]
    are_apart = all(each._all is not None for each in batches)
    return EntryBatch(
        batches[0].first,
        together([each.packet for each in batches]),
        (batches[0].began, batches[-1].ended),
        many=batches[-1].last - batches[0].first + 1,
        has_leaves=any(each.has_leaves for each in batches),
        lines=[line for each in batches for line in each.all] if are_apart else None,
    )


def in_rows(lines: Iterable[Entry]) -> list[EntryBatch]:
    """Lines in any order, as batches of those that follow each other."""
    rows: list[list[Entry]] = []
    for each in lines:
        if rows and rows[-1][-1].seq + 1 == each.seq:
            rows[-1].append(each)
        else:
            rows.append([each])
    return [batch(row) for row in rows]


def by_room(events: Iterable[Event]) -> dict[int, list[EntryBatch]]:
    """As a rule one batch for each; more where others wrote between."""
    rooms: dict[int, list[Entry]] = {}
    for event in events:
        rooms.setdefault(event.room, []).append(line(event))
    return {room_id: in_rows(lines) for room_id, lines in rooms.items()}


# --- over the channel layer ---------------------------------------------------------------------


LINES = "lines of rooms"  # the type of such a message


class ToldLines(Struct, array_like=True):
    """What the other processes get of a batch: what all of them need to know of its lines."""

    first: int
    many: int
    began: datetime
    ended: datetime
    has_leaves: bool
    speakers: list[int]  # who said the messages in it
    frames: bytes

    @property
    def batch(self) -> EntryBatch:
        times = self.began, self.ended
        packet = Packet(self.frames)
        return EntryBatch(self.first, packet, times, many=self.many, has_leaves=self.has_leaves)


_encode = msgspec.msgpack.encode
_rooms = msgspec.msgpack.Decoder(list[tuple[int, Raw]])
_lines = msgspec.msgpack.Decoder(ToldLines)


def told_of(batch: EntryBatch) -> Raw:
    events = [line.event for line in batch.all]
    told = ToldLines(
        batch.first,
        batch.many,
        batch.began,
        batch.ended,
        batch.has_leaves,
        [event.sender.id for event in events if event.kind in UNREAD],
        batch.packet.wire,
    )
    return Raw(_encode(told))


def message(told: Sequence[tuple[int, Raw]]) -> dict[str, object]:
    """For the channel layer: lines of some rooms."""
    return {"type": LINES, "lines": _encode(told)}


def heard_in(lines: bytes, is_held: Callable[[int], bool]) -> Iterator[tuple[int, ToldLines]]:
    """What a message of another process has of the rooms that are held here; of the others nothing
    is looked at."""
    for room_id, told in _rooms.decode(lines):
        if is_held(room_id):
            yield room_id, _lines.decode(told)
