"""People of a running site who ask by REST and listen on sockets, for faults/fuzz/rooms.py."""

import json
import time
from contextlib import ExitStack
from typing import Any

from faults.fuzz import site

NAMES = ("alice", "bob", "charlie", "dana")  # alice opens the rooms
HEARS_WITHIN = 10.0  # seconds


class World:
    """The running site, and its people with their tokens."""

    def __init__(self, running: site.Site) -> None:
        self.urls = running.urls
        people = {name: running.person(name.capitalize()) for name in NAMES}
        self.ids = {name: person.id for name, person in people.items()}
        self.tokens = {name: running.token(person) for name, person in people.items()}

    def ask(
        self, name: str, worker: int, method: str, path: str, body: Any = None
    ) -> tuple[int, Any]:
        url, token = self.urls[worker], self.tokens[name]
        answer = site.ask(url, method, f"/api/v1/{path}", body, token)
        assert answer.status < 500, (method, path, answer.body)
        return answer.status, answer.json if answer.body else None


class Ear:
    """One socket of a person in the room; what it must have heard is known by the model, line by
    line, so nothing may be resumed or mended on the way."""

    def __init__(self, world: World, name: str, worker: int, room: int, after: int) -> None:
        self._held = ExitStack()
        socket = site.opened(world.urls[worker], token=world.tokens[name])
        self.socket = self._held.enter_context(socket)
        self.after, self.room = after, room
        self.events: list[dict[str, Any]] = []
        self.tell(type="subscribe", room=room, after=after)
        self.is_in = self.next("subscribed", "nack")["type"] == "subscribed"

    def tell(self, **frame: Any) -> None:
        self.socket.send(json.dumps(frame))

    def next(self, *types: str) -> dict[str, Any]:
        """The next frame of those types; events on the way are kept."""
        end = time.monotonic() + HEARS_WITHIN
        while True:
            frame = json.loads(self.socket.recv(timeout=max(end - time.monotonic(), 0.01)))
            if frame["type"] == "event":
                self.events.append(frame)
            if frame["type"] in types:
                return frame

    def close(self) -> None:
        self._held.close()

    def hear(self, head: int) -> None:
        """Until the line with that number."""
        while self.after + len(self.events) < head:
            self.next("event")

    def rest(self) -> None:
        """What there is, up to the answer to a ping."""
        self.tell(type="ping")
        self.next("pong")
