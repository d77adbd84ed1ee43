"""What is sent to sockets: texts, framed for the WebSocket once for all who get them (RFC 6455).

A server sends without a mask, and we without compression, so the bytes are the same for everyone.
"""

from collections.abc import Sequence
from itertools import pairwise
from struct import Struct

_TEXT = 0x81  # a whole text message
_SHORT, _MIDDLE, _LONG = Struct("!BB").pack, Struct("!BBH").pack, Struct("!BBQ").pack


class Packet:
    """One text message or some in a row. `wire` is their frames."""

    __slots__ = ("_parts", "wire")

    def __init__(self, wire: bytes, parts: "Sequence[Packet]" = ()) -> None:
        self.wire = wire
        self._parts = parts

    @property
    def size(self) -> int:
        return len(self.wire)

    @property
    def singles(self) -> "list[Packet]":
        """Its messages one by one, for wires and servers of another kind."""
        if self._parts:
            return [one for part in self._parts for one in part.singles]
        ends = frame_ends(self.wire)
        if len(ends) == 1:
            return [self]
        return [Packet(self.wire[start:end]) for start, end in pairwise((0, *ends))]

    @property
    def payload(self) -> memoryview:
        """The message as it is, of a packet that holds one."""
        return memoryview(self.wire)[_head_size(self.wire) :]

    @property
    def text(self) -> str:
        return str(self.payload, "utf-8")


def packet(text: str | bytes) -> Packet:
    payload = text.encode() if isinstance(text, str) else text
    size = len(payload)
    if size < 126:
        return Packet(_SHORT(_TEXT, size) + payload)
    if size < 65_536:
        return Packet(_MIDDLE(_TEXT, 126, size) + payload)
    return Packet(_LONG(_TEXT, 127, size) + payload)


def _head_size(wire: bytes) -> int:
    return {126: 4, 127: 10}.get(wire[1], 2)


def frame_ends(wire: bytes) -> list[int]:
    """Where each of the frames ends."""
    ends, end = [], 0
    while end < len(wire):
        size = wire[end + 1]
        if size < 126:
            end += 2 + size
        elif size == 126:
            end += 4 + int.from_bytes(wire[end + 2 : end + 4])
        else:
            end += 10 + int.from_bytes(wire[end + 2 : end + 10])
        ends.append(end)
    return ends


def together(packets: Sequence[Packet]) -> Packet:
    if len(packets) == 1:
        return packets[0]
    return Packet(b"".join([each.wire for each in packets]), packets)
