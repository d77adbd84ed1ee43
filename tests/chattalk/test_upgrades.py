"""The head of a handshake read at once: as the libraries read it that would else, or not at all."""

import asyncio
import random

import pytest
from uvicorn.server import ServerState

from chattalk.server import upgrades
from chattalk.server.worker import configuration
from tests.raw_line import UPGRADE, head

PLAIN = head("/ws/?a=1", *UPGRADE)
OF_A_BROWSER = head(
    "/ws/%C3%A4",
    "Connection: keep-alive, Upgrade",
    *(line for line in UPGRADE if not line.startswith("Connection")),
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64)",
    "Origin: http://127.0.0.1",
    "Cookie: sessionid=abcdefgh; csrftoken=x",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    "Sec-WebSocket-Protocol: chattalk,  bearer.abc",
    "Accept-Language:\tko-KR,ko;q=0.9 ",
)
# What it does not take: some of it the others refuse, some of it they take.
ODD = {
    "in pieces": PLAIN[:-1],
    "more behind it": PLAIN + b"x",
    "another method": PLAIN.replace(b"GET ", b"POST "),
    "an older HTTP": PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"),
    "a body": PLAIN[:-2] + b"Content-Length: 3\r\n\r\n",
    "an empty body": PLAIN[:-2] + b"Content-Length: 0\r\n\r\n",
    "pieces of a body": PLAIN[:-2] + b"Transfer-Encoding: chunked\r\n\r\n",
    "no host": PLAIN.replace(b"Host:", b"Hose:"),
    "two hosts": PLAIN[:-2] + b"Host: 127.0.0.1\r\n\r\n",
    "two origins": PLAIN[:-2] + b"Origin: a\r\norigin: a\r\n\r\n",
    "a folded line": PLAIN[:-2] + b"X: a\r\n b\r\n\r\n",
    "a control character": PLAIN[:-2] + b"X: a\x01b\r\n\r\n",
    "a name with a space": PLAIN[:-2] + b"X : a\r\n\r\n",
    "a bare line feed": PLAIN[:-2] + b"X: a\nY: b\r\n\r\n",
    "another version": PLAIN.replace(b"Version: 13", b"Version: 8"),
    "a short key": PLAIN.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"dGhlIHNhbXBsZQ=="),
    "a list that is none": PLAIN.replace(b"Connection: ", b"Connection: keep alive, "),
    "no upgrade": PLAIN.replace(b"Connection: Upgrade", b"Connection: close"),
    "another upgrade": PLAIN.replace(b"Upgrade: websocket", b"Upgrade: h2c, websocket"),
    "a path that is none": PLAIN.replace(b"/ws/", b"http://127.0.0.1/ws/"),
    "too many headers": PLAIN[:-2] + b"".join(b"X%d: y\r\n" % n for n in range(100)) + b"\r\n",
    "too long": PLAIN[:-2] + b"X: " + b"y" * upgrades.HEAD_MAX + b"\r\n\r\n",
}


class Line(asyncio.Transport):
    """A transport without a network."""

    def __init__(self):
        super().__init__({"sockname": ("127.0.0.1", 80), "peername": ("127.0.0.1", 5)})
        self.wrote, self.is_over = b"", False

    def write(self, data):
        self.wrote += data

    def close(self):
        self.is_over = True

    abort = close

    def is_closing(self):
        return self.is_over

    def set_protocol(self, protocol):
        self.protocol = protocol

    def get_write_buffer_size(self):
        return 0


async def answered(data, *, quickly, accept):
    """What the application was shown, and what the client is answered."""
    scopes = []

    async def app(scope, receive, send):
        scopes.append(scope)
        await receive()
        await send(accept)
        await receive()

    config = configuration()
    config.app, config.lifespan = app, "off"
    config.load()
    line = Line()
    with pytest.MonkeyPatch.context() as patch:
        if not quickly:
            patch.setattr(upgrades, "read", lambda data: None)
        request = config.http_protocol_class(config, ServerState(), {"a": "state"})
        request.connection_made(line)
        request.data_received(data)
    for _ in range(3):
        await asyncio.sleep(0)
    protocol = getattr(line, "protocol", request)
    protocol.connection_lost(None)
    status, _, rest = line.wrote.partition(b"\r\n")
    return scopes, status, sorted(rest.lower().split(b"\r\n"))


ACCEPT = {"type": "websocket.accept", "subprotocol": "chattalk", "headers": [(b"X-A", b"b")]}
ANSWERS = [ACCEPT, {"type": "websocket.accept"}, {"type": "websocket.close"}]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("data", [PLAIN, OF_A_BROWSER], ids=["plain", "a browser's"])
async def test_a_handshake_is_shown_and_answered_as_by_the_long_way(data, answer):
    assert upgrades.read(data) is not None
    quick = await answered(data, quickly=True, accept=answer)
    assert quick == await answered(data, quickly=False, accept=answer)
    assert len(quick[0]) == 1


@pytest.mark.parametrize("oddity", ODD)
def test_what_is_odd_is_left_to_those_who_know_all_of_it(oddity):
    assert upgrades.read(ODD[oddity]) is None


async def test_no_change_of_a_byte_is_taken_that_the_long_way_would_not_take():
    dice, taken = random.Random(16), 0
    for _ in range(1000):
        data = bytearray(dice.choice([PLAIN, OF_A_BROWSER]))
        for _ in range(dice.randint(1, 3)):
            data[dice.randrange(len(data))] = dice.choice(b"\0\t\r\n :,=/aZ~\x7f\x80\xff")
        if upgrades.read(bytes(data)) is not None:
            taken += 1
            quick = await answered(bytes(data), quickly=True, accept=ACCEPT)
            assert quick == await answered(bytes(data), quickly=False, accept=ACCEPT), bytes(data)
    assert taken > 100


async def test_a_request_that_comes_after_another_is_read_the_long_way():
    seen = []

    async def app(scope, receive, send):
        pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upgrades, "read", seen.append)
        config = configuration()
        config.app, config.lifespan = app, "off"
        config.load()
        request = config.http_protocol_class(config, ServerState(), {})
        request.connection_made(Line())
        request.data_received(b"GET / HTTP/1.1\r\n")
        request.data_received(b"Host: a\r\n\r\n")
        request.connection_lost(None)
        await asyncio.sleep(0)
    assert seen == [b"GET / HTTP/1.1\r\n"]
