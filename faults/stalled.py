"""Clients that ask for a room, or a page, and then read nothing; their kernel takes as little as it
may. No library does so: the client that everybody has reads as fast as the event loop runs."""

import json
import select
import socket
from pathlib import Path

from bench.client import NO_MASK, TEXT
from bench.ours import Person

RECEIVE = 4096  # bytes
WITHIN = 10.0  # seconds
CLOSE = b"\x88"
TOO_SLOW = "a socket was too slow"  # as messaging/live/outbox.py logs it


def evictions(log: Path) -> int:
    """How many the worker says it has closed, at LOG_LEVEL=INFO."""
    return log.read_text(errors="replace").count(TOO_SLOW)


def _line(port: int) -> socket.socket:
    line = socket.socket()
    line.settimeout(WITHIN)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE)  # before it connects
    line.connect(("127.0.0.1", port))
    return line


class StalledRequest:
    """A request whose answer nobody reads. To be made in a thread."""

    def __init__(self, port: int, request: bytes) -> None:
        self._line = _line(port)
        self._line.sendall(request)

    def is_answered(self) -> bool:
        """Whether a good answer has begun to come. To be asked in a thread; it takes nothing."""
        try:
            return b" 200 " in self._line.recv(len("HTTP/1.1 200 "), socket.MSG_PEEK)
        except OSError:  # cut, or nothing came
            return False

    def close(self) -> None:
        self._line.close()


class Stalled:
    """To be made in a thread: it waits until it is subscribed."""

    def __init__(self, port: int, person: Person, room: int) -> None:
        self._line = _line(port)
        head = f"GET /ws/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
        head += "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        head += f"Sec-WebSocket-Key: {'x' * 22}==\r\nCookie: sessionid={person.session}\r\n\r\n"
        self._line.sendall(head.encode())
        self._read_until(b'"hello"')
        frame = json.dumps({"type": "subscribe", "room": room}).encode()
        self._line.sendall(bytes([128 | TEXT, 128 | len(frame)]) + NO_MASK + frame)
        self._read_until(b'"presence"')

    def _read_until(self, word: bytes) -> None:
        came = b""
        while word not in came:
            data = self._line.recv(RECEIVE)
            assert data, "it was hung up on"
            came += data

    @property
    def is_cut(self) -> bool:
        """Whether the server has given up on it; to see that it need not read."""
        poll = select.poll()
        poll.register(self._line, select.POLLIN)
        return any(events & (select.POLLHUP | select.POLLERR) for _, events in poll.poll(0))

    def read_to_the_end(self) -> int | None:
        """It wakes up: the code of the close frame that comes at last; None if there is none."""
        tail = b""
        try:
            while data := self._line.recv(64 * 1024):
                tail = (tail + data)[-4:]
        except OSError:
            return None
        return int.from_bytes(tail[2:], "big") if tail.startswith(CLOSE) else None

    def close(self) -> None:
        self._line.close()
