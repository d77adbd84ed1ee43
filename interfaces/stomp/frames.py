"""Frames of STOMP 1.0, 1.1 and 1.2: bytes in, frames out; and the other way round.

Nothing that comes from outside raises: what can't be read comes out as a `Bad` and ends the stream.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

FRAME_MAX = 64 * 1024  # bytes, of the head and of the body
HEAD_MAX = 16 * 1024  # bytes, of the command and the headers
HEADERS_MAX = 64
HEARTBEAT = "\n"

_UNESCAPES = {
    "1.0": {},
    "1.1": {"\\n": "\n", "\\c": ":", "\\\\": "\\"},
    "1.2": {"\\n": "\n", "\\c": ":", "\\\\": "\\", "\\r": "\r"},
}
# What a version can't carry becomes a blank: nothing we send can end a header or a frame early.
_ESCAPES = {
    version: str.maketrans(
        dict.fromkeys("\r\n\0", " ") | {char: escape for escape, char in table.items()}
    )
    for version, table in _UNESCAPES.items()
}
VERSIONS = tuple(_UNESCAPES)
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_ESCAPE = re.compile(r"\\.?", re.DOTALL)
_LENGTH = re.compile(r"[0-9]{1,9}")


class Frame(NamedTuple):
    command: str
    headers: dict[str, str]
    body: bytes = b""


class Bad(NamedTuple):
    """What came is no frame, and where the next one begins can't be known."""

    why: str


class _Malformed(Exception):
    pass


class Parser:
    """One connection's bytes, in pieces of any size. `version` is set once it was negotiated."""

    def __init__(self) -> None:
        self.version = "1.2"
        self._buffer = bytearray()
        self._looked = 0  # no NUL, respectively no end of the head, before here
        self._head: tuple[str, dict[str, str], int | None] | None = None
        self._head_size = 0
        self._broken = False

    def feed(self, data: bytes) -> Iterator[Frame | Bad]:
        """The frames that end in `data`. Take all of them before feeding more."""
        self._buffer += data
        while not self._broken:
            try:
                frame = self._next()
            except _Malformed as error:
                self._broken = True
                self._buffer.clear()
                yield Bad(str(error))
                return
            if frame is None:
                return
            yield frame

    def _next(self) -> Frame | None:
        if self._head is None and not self._read_head():
            return None
        assert self._head is not None
        command, headers, length = self._head
        end = self._end_of_body(length)
        if end is None:
            return None
        body = bytes(self._buffer[:end])
        self._drop(end + 1)
        self._head = None
        return Frame(command, headers, body)

    def _read_head(self) -> bool:
        self._skip_heartbeats()
        found = _END_OF_HEAD.search(self._buffer, max(self._looked - 2, 0))
        size = found.end() if found else len(self._buffer)
        if size > HEAD_MAX:
            raise _Malformed("too many headers")
        if self._buffer.find(b"\0", max(self._looked - 2, 0), size) >= 0:
            raise _Malformed("a frame without an empty line after its headers")
        if found is None:
            self._looked = size
            return False
        self._head = _head(bytes(self._buffer[: found.start()]), self.version)
        self._head_size = size
        self._drop(size)
        return True

    def _skip_heartbeats(self) -> None:
        start = 0
        while self._buffer.startswith((b"\n", b"\r\n"), start):
            start += 1 if self._buffer[start] == 0x0A else 2
        if start:
            self._drop(start)

    def _end_of_body(self, length: int | None) -> int | None:
        """Where its NUL is; None if it has not come yet."""
        if length is None:
            end = self._buffer.find(b"\0", self._looked)
            self._looked = len(self._buffer)
        else:
            end = length if len(self._buffer) > length else -1
        if self._head_size + (length or max(end, 0) or len(self._buffer)) > FRAME_MAX:
            raise _Malformed("the frame is too large")
        if end < 0:
            return None
        if self._buffer[end]:
            raise _Malformed("content-length is not the length of the body")
        return end

    def _drop(self, size: int) -> None:
        del self._buffer[:size]
        self._looked = 0


def _head(data: bytes, version: str) -> tuple[str, dict[str, str], int | None]:
    try:
        command, *lines = data.decode().replace("\r\n", "\n").removesuffix("\r").split("\n")
    except UnicodeDecodeError:
        raise _Malformed("the headers are not UTF-8") from None
    if len(lines) > HEADERS_MAX:
        raise _Malformed("too many headers")
    # A client that connects may be an old one: without escapes, and with blanks around values.
    escapes = {} if command == "CONNECT" else _UNESCAPES[version]
    is_old = command in ("CONNECT", "STOMP") or version == "1.0"
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name:
            raise _Malformed("a header without a name or a colon")
        if escapes:
            name, value = _unescaped(name, escapes), _unescaped(value, escapes)
        if is_old:
            name, value = name.strip(), value.strip()
        headers.setdefault(name, value)  # the first of repeated ones counts
    return command, headers, _length(headers)


def _unescaped(text: str, escapes: Mapping[str, str]) -> str:
    try:
        return _ESCAPE.sub(lambda found: escapes[found[0]], text) if "\\" in text else text
    except KeyError:
        raise _Malformed("an unknown escape in a header") from None


def _length(headers: Mapping[str, str]) -> int | None:
    text = headers.get("content-length")
    if text is None:
        return None
    if not _LENGTH.fullmatch(text):
        raise _Malformed("content-length is not a number")
    return int(text)


def encode(command: str, headers: Mapping[str, str], body: str = "", version: str = "1.2") -> str:
    """The text of a frame. Half a surrogate pair, which UTF-8 can't hold, becomes a `?`."""
    table = _ESCAPES["1.0" if command in ("CONNECT", "CONNECTED") else version]
    if body:
        body = body.encode(errors="replace").decode()
        headers = {**headers, "content-length": str(len(body.encode()))}
    lines = (f"{n.translate(table)}:{v.translate(table)}\n" for n, v in headers.items())
    return f"{command}\n{''.join(lines)}\n{body}\0"
