"""One person on `/ws/`, by the client of Python; a thread runs it, so that a test may use it beside
a browser. What was heard is what came by the line, not what the client made of it."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

from chattalk_client import ChatTalk, Loss, Observer, Room

from tests.doors.clients import SECONDS
from tests.doors.people import Member


class Line(Observer):
    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.closed: int | None = None

    def heard(self, frame: dict[str, Any]) -> None:
        self.frames.append(frame)

    def lost(self, loss: Loss) -> None:
        self.closed = loss.code


class OnSocket(Member):
    def __init__(self, url: str, name: str) -> None:
        super().__init__(url, name)
        self.line, self._loop = Line(), asyncio.new_event_loop()
        access = self.rest.headers["Authorization"].removeprefix("Bearer ")
        self._chat = ChatTalk(url, access=access, observer=self.line)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)

    def enter(self, room: int) -> None:
        assert self.join(room) in (200, 201)
        self.inside: Room = self._run(self._enter(room))

    async def _enter(self, room: int) -> Room:
        await self._chat.__aenter__()
        return await self._chat.enter(room)

    def say(self, body: str) -> None:
        """Raises Refused."""
        self._run(self.inside.send(body))

    def go(self) -> None:
        self._run(self._chat.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()

    def events(self, kind: str) -> list[dict[str, Any]]:
        frames = list(self.line.frames)
        return [one for one in frames if one["type"] == "event" and one["kind"] == kind]

    def heard(self) -> list[str]:
        return [event["body"] for event in self.events("message")]

    def here(self) -> set[str]:
        return {person.name for person in self.inside.here}
