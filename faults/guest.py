"""One connection of a person, as bare as it comes: it resumes nothing and says nothing twice.

For what a member (faults/member.py) would never do: many rooms, strange frames, no patience. The
client that everybody has would come back, and say again what a cut line may have taken with it.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

from chattalk_client import Refused

from bench import client
from bench.ours import Person
from faults.history import History

ANSWER_WITHIN = 10.0  # seconds, for a connection, or for an answer
Frame = dict[str, Any]


class Guest:
    """Made by `come`. `lines` are the events by room, `frames` all that came."""

    socket: client.Socket

    def __init__(self, name: str, person: Person, history: History) -> None:
        self.name, self.person, self._history = name, person, history
        self.frames: list[Frame] = []
        self.lines: dict[int, list[Frame]] = defaultdict(list)
        self.gone = asyncio.Event()
        self.gone_at = 0.0  # of the event loop's clock
        self._asked = 0
        self._news = asyncio.Event()

    @classmethod
    async def come(
        cls, name: str, person: Person, port: int, history: History, protocols: str = ""
    ) -> "Guest":
        """Raises OSError or TimeoutError."""
        self = cls(name, person, history)
        session = "" if protocols else person.session
        async with asyncio.timeout(ANSWER_WITHIN):
            self.socket = await client.connect(
                port, "/ws/", self._heard, self._went, session=session, protocols=protocols
            )
        return self

    def _heard(self, payload: bytes) -> None:
        frame = json.loads(payload)
        self.frames.append(frame)
        if frame["type"] == "event":
            self.lines[frame["room"]].append(frame)
        self._news.set()

    def _went(self) -> None:
        self.gone_at = asyncio.get_running_loop().time()
        self.gone.set()
        self._news.set()

    @property
    def code(self) -> int | None:
        """What it was closed with."""
        return self.socket.code

    def go(self) -> None:
        """Without a word."""
        self.socket.close()

    async def until(self, is_so: Callable[[], Any], within: float = ANSWER_WITHIN) -> bool:
        """Whether it came to that, before the time was up or the connection gone."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while not is_so() and not self.gone.is_set():
                    self._news.clear()
                    await self._news.wait()
        return bool(is_so())

    async def ask(self, **frame: Any) -> Frame:
        """The answer to it. Raises ConnectionError when there is none."""
        self._asked += 1
        ref, begin = frame.get("ref", str(self._asked)), len(self.frames)
        self.socket.frame(**frame, ref=ref)
        answers: list[Frame] = []

        def came() -> list[Frame]:
            nonlocal begin
            answers.extend(one for one in self.frames[begin:] if one.get("ref") == ref)
            begin = len(self.frames)
            return answers

        if not await self.until(came):
            raise ConnectionError(f"no answer to {frame['type']}")
        return answers[0]

    async def say(self, room: int, body: str, cid: str = "") -> int:
        """Its seq. Raises Refused, or ConnectionError when nobody knows what became of it."""
        cid = cid or str(uuid4())
        self._history.add(self.name, "send", "invoke", room=room, cid=cid)
        answer = await self.ask(type="send", room=room, cid=cid, body=body)
        if answer["type"] == "nack":
            self._history.add(self.name, "send", "fail", room=room, cid=cid, note=answer["code"])
            raise Refused(answer["code"])
        self._history.add(self.name, "send", "ok", room=room, cid=cid, seq=answer["seq"])
        return int(answer["seq"])
