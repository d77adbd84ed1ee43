"""The bytes of faults/fuzz/codecs.py through real sockets.

Whatever came, the next ping is answered; and a connection ends with a code that is documented.
"""

import json
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

from websockets.exceptions import ConnectionClosed

from faults.fuzz import codecs, options, site
from faults.fuzz.mutation import Mutator
from messaging.live.close_codes import CloseCode

AT_ONCE = 40  # messages between two pings
ANSWERS_WITHIN = 15.0  # seconds
ROOM = 7  # what the valid frames of codecs.py are about
SOCKJS = "/stomp/chat/123/abcdefgh/websocket"
CONNECT = "CONNECT\naccept-version:1.2\nhost:chat\nheart-beat:0,0\nAuthorization:Bearer {}\n\n\0"
# A stream of STOMP that can't be read is told so by ERROR and ended; also after its DISCONNECT, and
# after a CONNECT that proves nothing.
STOMP_ENDS = {CloseCode.DONE, CloseCode.BROKEN, CloseCode.SIGNED_OUT}
ENDS: dict[str, set[CloseCode]] = {"/ws/": set(), "/stomp": STOMP_ENDS, SOCKJS: STOMP_ENDS}


class Line:
    """A connection that is opened again when it has ended."""

    def __init__(self, url: str, path: str, token: str) -> None:
        self.url, self.path, self.token = url, path, token
        self.ends: Counter[int] = Counter()
        self._held = ExitStack()
        self.open()

    def open(self) -> None:
        self._held.close()
        token = self.token if self.path == "/ws/" else ""
        self.socket = self._held.enter_context(site.opened(self.url, self.path, token))
        if self.path != "/ws/":
            text = CONNECT.format(self.token)
            self.socket.send(json.dumps([text]) if self.path == SOCKJS else text)
            self._until(lambda text: "CONNECTED" in text)

    def send(self, data: bytes) -> None:
        """As text where it is one; SockJS has texts only."""
        try:
            self.socket.send(data.decode())
        except UnicodeDecodeError:
            self.socket.send(data if self.path != SOCKJS else data.decode("latin-1"))

    def settle(self) -> bool:
        """Whether it lives, or has ended as it may."""
        try:
            if self.path == "/ws/":
                self.socket.send(json.dumps({"type": "ping", "ref": "settled"}))
                self._until(lambda text: '"settled"' in text and '"pong"' in text)
            else:
                self._pong()
        except TimeoutError:
            return False
        except ConnectionClosed as closed:
            return self.ended(closed)
        return True

    def _pong(self) -> None:
        """STOMP has no ping: that of the WebSocket comes after all that was said before it."""
        pong, end = self.socket.ping(), time.monotonic() + ANSWERS_WITHIN
        while not pong.is_set():
            with suppress(TimeoutError):
                self.socket.recv(timeout=0.01)
            if time.monotonic() > end:
                raise TimeoutError

    def ended(self, closed: ConnectionClosed) -> bool:
        code = closed.rcvd.code if closed.rcvd else 1006
        self.ends[code] += 1
        self.open()
        return code in ENDS[self.path]

    def _until(self, found: Callable[[str], bool]) -> None:
        end = time.monotonic() + ANSWERS_WITHIN
        while not found(str(self.socket.recv(timeout=max(end - time.monotonic(), 0.01)))):
            pass

    def close(self) -> None:
        self._held.close()


def run(seconds: float = 120, seed: int = 1) -> dict[str, Any]:
    """`{"executions": messages, "by_door": {…}, "ends": {…}, "findings": {…}}`."""
    findings: Counter[str] = Counter()
    done: Counter[str] = Counter()
    mutators = _mutators(seed)
    with site.running() as ours, ExitStack() as held:
        lines = _lines(ours, held)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for path, line in lines.items():
                findings["not_settled"] += not _batch(line, mutators[path])
                done[path] += AT_ONCE
        findings["logged_tracebacks"] = len(ours.complaints())
    return {
        "executions": done.total(),
        "by_door": dict(done),
        "ends": {path: dict(line.ends) for path, line in lines.items()},
        "findings": dict(findings),
    }


def _mutators(seed: int) -> dict[str, Mutator]:
    decoders = zip(ENDS, codecs.DECODERS.values(), strict=True)
    return {
        path: Mutator(seed * 7 + place, decoder.valid, decoder.tokens)
        for place, (path, decoder) in enumerate(decoders)
    }


def _lines(ours: site.Site, held: ExitStack) -> dict[str, Line]:
    token = ours.token(ours.person("Alice"))
    _rooms(ours.url, token)
    lines = {path: Line(ours.url, path, token) for path in ENDS}
    for line in lines.values():
        held.callback(line.close)
    return lines


def _batch(line: Line, mutator: Mutator) -> bool:
    is_good = True
    for _ in range(AT_ONCE):
        try:
            line.send(next(mutator))
        except ConnectionClosed as closed:
            is_good &= line.ended(closed)
    return line.settle() and is_good


def _rooms(url: str, token: str) -> None:
    room = 0
    while room < ROOM:
        made = site.ask(url, "POST", "/api/v1/rooms/", {"title": "Noise"}, token)
        room = made.json["id"]


if __name__ == "__main__":
    options.main(run, __doc__)
