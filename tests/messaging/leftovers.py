"""What a visit leaves for the collector, which in a worker comes to it late or never.

Clients here are plain sockets, in a thread: they leave nothing that would count.
"""

import asyncio
import gc
import json
import socket
from collections import Counter
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit

from messaging.live import node
from tests.messaging.served import served
from tests.presence.cluster import until
from tests.raw_line import SECONDS, UPGRADE, frame, head

CLOSE, TEXT = 8, 1
ORIGIN = "Origin: http://127.0.0.1"
CLOSE_FRAME = frame(CLOSE, b"\x03\xe8")
SETTLE_SECONDS = 0.3
VISITS = 40  # the start leaves some things once, fewer than that of a kind


async def left_by(visit, *given):
    """What each visit leaves that only a collection takes away: kinds, and how many of each."""
    await asyncio.to_thread(visit, *given)
    await _over()
    gc.collect()
    gc.disable()
    for _ in range(VISITS):
        await asyncio.to_thread(visit, *given)
    await _over()
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    kinds = Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.garbage)
    gc.garbage.clear()
    return {kind: count for kind, count in kinds.items() if count >= VISITS}


async def _over():
    """Nobody is connected, and it is written down who went."""
    serving = node.current()
    who = serving.presence.state.local
    await until(lambda: not serving.connections.doors() and not who.waiting)
    await asyncio.sleep(SETTLE_SECONDS)


@asynccontextmanager
async def site():
    """Who goes is away at once: else the same person, visit after visit, would never leave."""
    async with served() as url:
        node.current().presence.state.local._grace = 0.0
        yield url


class Line:
    """A WebSocket, whose frames are not looked at closely."""

    def __init__(self, line):
        self._line, self.heard = line, b""

    def say(self, text):
        self._line.sendall(frame(TEXT, text.encode()))

    def tell(self, **fields):
        self.say(json.dumps(fields))

    def hears(self, *words):
        """Wait for all of them."""
        while not all(word in self.heard for word in words):
            assert (more := self._line.recv(65536)), self.heard
            self.heard += more

    def close(self):
        self._line.sendall(CLOSE_FRAME)
        self.end()

    def end(self):
        while self._line.recv(65536):
            pass


@contextmanager
def opened(url, path, *headers, answer=b" 101 ", origin=ORIGIN):
    where = urlsplit(url)
    with socket.create_connection((where.hostname, where.port), timeout=SECONDS) as raw:
        raw.sendall(head(path, *UPGRADE, origin, *headers))
        line = Line(raw)
        line.hears(b"HTTP/1.1", answer)
        yield line


def asked(url, method, path, body=None, *headers):
    """One request on a connection of its own; its status."""
    where, data = urlsplit(url), b"" if body is None else json.dumps(body).encode()
    more = ["Content-Type: application/json"] if data else []
    said = head(
        path, *headers, *more, f"Content-Length: {len(data)}", "Connection: close", method=method
    )
    with socket.create_connection((where.hostname, where.port), timeout=SECONDS) as raw:
        raw.sendall(said + data)
        heard = b""
        while more := raw.recv(65536):
            heard += more
    return int(heard.split(b" ", 2)[1])
