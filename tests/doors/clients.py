"""A person at each door of a running server, in the same few words: say, and what was heard.

Their sockets are read by threads, so that one test may use them beside a browser.
"""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from bench import request
from bench.request import Answer

PASSWORD = "a long and quiet evening"
SECONDS = 20.0  # how long a busy machine may take


def until(done: Callable[[], Any], what: str = "") -> Any:
    """Wait for what nobody tells; answers what `done` answered."""
    end = time.monotonic() + SECONDS
    while not (answer := done()):
        assert time.monotonic() < end, what or "it did not come about"
        time.sleep(0.02)
    return answer


class Rest:
    """JSON over HTTP, with a token or a cookie."""

    def __init__(self, url: str, **headers: str) -> None:
        self.url = url
        self.headers = headers

    def __call__(self, method: str, path: str, body: Any = None) -> Answer:
        return request.ask(self.url + path, method, body, self.headers, within=SECONDS)


class Wire:
    """A WebSocket of other wires (STOMP, SockJS), whose texts are gathered by a thread."""

    def __init__(self, url: str, path: str, **options: Any) -> None:
        address = f"ws://{urlsplit(url).netloc}{path}"
        self._stack = ExitStack()
        self.socket = self._stack.enter_context(connect(address, compression=None, **options))
        self.texts: list[str] = []
        self.closed: int | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            for text in self.socket:
                self.texts.append(text if isinstance(text, str) else text.decode())
        except ConnectionClosed:
            pass  # how it ended is in close_code, as when the iteration just stops
        self.closed = self.socket.close_code

    def send(self, text: str) -> None:
        self.socket.send(text)

    def close(self) -> None:
        self._stack.close()
        self._reader.join(SECONDS)


def sign_up(url: str, name: str) -> tuple[str, Rest]:
    """A new person, by REST: their e-mail, and a client with their token."""
    email = f"{name.lower()}-{uuid4().hex[:8]}@example.com"
    nobody = Rest(url)
    account = {"email": email, "password": PASSWORD, "display_name": name}
    assert nobody("POST", "/api/v1/accounts/", account).status == 201
    answer = nobody("POST", "/api/v1/tokens/", {"email": email, "password": PASSWORD})
    assert answer.status == 200, answer.body
    return email, Rest(url, Authorization=f"Bearer {answer.json['access']}")
