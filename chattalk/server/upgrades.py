"""The head of a handshake, as nearly every client sends it, read in one look.

uvicorn reads it by h11 and writes it again for the WebSocket library, which reads it once more,
makes a whole answer, and has it changed: a quarter of what a crowd costs that comes back. Here it
is read once, if it came in one piece and is exactly as it should be. `read` takes nothing that
those two would not take; of all else it says None, and they judge it, word for word as before.
"""

import re
from typing import Any, NamedTuple
from urllib.parse import unquote

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import OPEN, Protocol
from websockets.utils import accept_key

HEAD_MAX = 8192  # bytes; as long as one line may be
HEADERS_MAX = 100
END = b"\r\n\r\n"
NAME, VALUE = rb"[-!#$%&'*+.^_`|~0-9a-zA-Z]+", rb"[\t\x20-\x7e\x80-\xff]*"
_HEAD = re.compile(rb"GET (/[\x21-\x7e]*) HTTP/1\.1\r\n((?:%b:%b\r\n)+)\r\n" % (NAME, VALUE))
_HEADER = re.compile(rb"(%b):(%b)\r\n" % (NAME, VALUE))
_WISHES = re.compile(rb"%b(?:[\t ]*,[\t ]*%b)*" % (NAME, NAME))  # a list of words
_KEY = re.compile(rb"[A-Za-z0-9+/]{22}==")
_BODY = (b"content-length", b"transfer-encoding", b"expect")  # of one that has more to say
_ACCEPTED = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: %s\r\n"
)


class Handshake(NamedTuple):
    target: bytes
    headers: dict[bytes, bytes]  # each came once

    @property
    def key(self) -> str:
        return self.headers[b"sec-websocket-key"].decode()


def read(data: bytes) -> Handshake | None:
    """The handshake that this is, as a whole, if it is one without any oddity."""
    if len(data) > HEAD_MAX or not data.endswith(END) or b"websocket" not in data.lower():
        return None
    if (head := _HEAD.fullmatch(data)) is None:
        return None
    pairs = _HEADER.findall(head[2])
    headers = {name.lower(): value.strip(b" \t") for name, value in pairs}
    if len(headers) == len(pairs) <= HEADERS_MAX and _is_plain(headers):
        return Handshake(head[1], headers)
    return None


def _is_plain(headers: dict[bytes, bytes]) -> bool:
    wishes = headers.get(b"connection", b"").lower()
    return (
        b"upgrade" in [wish.strip(b" \t") for wish in wishes.split(b",")]
        and _WISHES.fullmatch(wishes) is not None
        and _WISHES.fullmatch(headers.get(b"sec-websocket-protocol", b"-")) is not None
        and headers.get(b"upgrade", b"").lower() == b"websocket"
        and headers.get(b"sec-websocket-version") == b"13"
        and _KEY.fullmatch(headers.get(b"sec-websocket-key", b"")) is not None
        and b"host" in headers
        and not any(name in headers for name in _BODY)
    )


def _words(value: bytes) -> list[str]:
    return [word.strip() for word in value.decode("latin-1").split(",")]


class QuickHandshake(WebSocketsSansIOProtocol):
    """uvicorn's, that may be given its handshake, instead of its bytes."""

    _key: str | None = None  # of a handshake that was given, until it is answered

    def begin(self, shake: Handshake) -> None:
        """As uvicorn's `handle_connect`."""
        self._key = shake.key
        self.handshake_initiated = True
        self.conn.parser = Protocol.parse(self.conn)  # what comes now are frames
        next(self.conn.parser)
        self.scope = self._scope(shake)
        self.queue.put_nowait({"type": "websocket.connect"})
        task = self.loop.create_task(self.run_asgi())
        task.add_done_callback(self.on_task_complete)
        self.tasks.add(task)

    def _scope(self, shake: Handshake) -> Any:
        path, _, query = shake.target.partition(b"?")
        offered = shake.headers.get(b"sec-websocket-protocol")
        return {
            "type": "websocket",
            "asgi": {"version": self.asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": self.scheme,
            "server": self.server,
            "client": self.client,
            "root_path": self.root_path,
            "path": self.root_path + unquote(path.decode("ascii")),
            "raw_path": self.root_path.encode("ascii") + path,
            "query_string": query,
            "headers": list(shake.headers.items()),
            "subprotocols": _words(offered) if offered is not None else [],
            "state": self.app_state.copy(),
            "extensions": {"websocket.http.response": {}},
        }

    async def send(self, message: Any) -> None:
        if self._key is not None and message["type"] == "websocket.accept":
            if self.disconnected:
                raise ClientDisconnected
            if not self.transport.is_closing():
                self._accept(self._key, message)
        else:
            await super().send(message)

    def _accept(self, key: str, message: Any) -> None:
        lines = [_ACCEPTED % accept_key(key)]
        for name, value in [*self.default_headers, *message.get("headers", ())]:
            lines.append(f"{name.decode('latin-1')}: {value.decode('latin-1')}\r\n")
        if chosen := message.get("subprotocol"):
            lines.append(f"Sec-WebSocket-Protocol: {chosen}\r\n")
        self._key = None
        self.conn.state = OPEN
        self.handshake_complete = True
        self.transport.write("".join([*lines, "\r\n"]).encode("latin-1"))
        self.start_keepalive()


def begin_socket(request: Any, shake: Handshake) -> None:
    """As uvicorn's `handle_websocket_upgrade`: this connection is a socket from here on. What is
    known of it is not asked anew."""
    request.connections.discard(request)
    protocol: QuickHandshake = request.ws_protocol_class(
        config=request.config, server_state=request.server_state, app_state=request.app_state
    )
    protocol.transport = request.transport
    protocol.connections.add(protocol)
    protocol.server, protocol.client = request.server, request.client
    protocol.scheme = "wss" if request.scheme == "https" else "ws"
    protocol.begin(shake)
    request.transport.set_protocol(protocol)
