"""Members of one room who say much at once, keep account of all they hear, and come back when cut
off: of ChatTalk by the client that everybody has, and of peers whose wire is "plain"."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from chattalk_client import ChatTalk, Observer, Refused, Room

from bench import client
from bench.ours import Person

BYTES = 200  # of a message's text


def text(sender: int, number: int) -> str:
    return f"{sender} {number} ".ljust(BYTES, "x")


class Talker(Observer):
    """What it has seen is what came by its line, before its client left out or mended anything."""

    _inside: Room

    def __init__(self, number: int, person: Person, room: int, port: int, at_once: int) -> None:
        """`at_once`: how many of its messages may be under way."""
        self.number, self._room = number, room
        self.seen: list[tuple[int, str]] = []  # seq and cid, as they came
        self.waiting: set[str] = set()  # what was sent and not acknowledged, by cid
        self.acked: dict[str, int] = {}
        self.refused: list[str] = []
        self.came = self.unrecovered = 0  # how often; how often it was not told what it missed
        self.heard_at = 0.0
        self._said = 0
        self._tasks: set[asyncio.Task[None]] = set()
        url, cookie = f"http://127.0.0.1:{port}", f"sessionid={person.session}"
        self._chat = ChatTalk(url, cookie=cookie, observer=self)
        self._chat._switchboard._outbox._places = asyncio.Semaphore(at_once)

    async def come(self) -> None:
        await self._chat.__aenter__()
        self._inside = await self._chat.enter(self._room, after=0)

    def say(self, count: int) -> None:
        for _ in range(count):
            self._said += 1
            cid = str(uuid4())
            self.waiting.add(cid)
            self._tasks.add(asyncio.create_task(self._say(cid, text(self.number, self._said))))

    async def _say(self, cid: str, body: str) -> None:
        try:
            await self._inside.send(body, cid=cid, patient=True)
        except Refused as refusal:
            self.refused.append(refusal.code)
        else:
            self.waiting.discard(cid)

    async def leave(self) -> None:
        """What was not answered by now stays in `waiting`."""
        await self._chat.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def heard(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "event":
                self.seen.append((frame["seq"], frame.get("cid", "")))
                self.heard_at = time.monotonic()
            case "ack":
                self.acked[frame["cid"]] = frame["seq"]
            case "subscribed":
                self.came += 1
                self.unrecovered += not frame["recovered"]


class PlainTalker:
    """Of a peer with a socket for each room, and frames that are `{"message": text}` both ways."""

    def __init__(self, number: int, port: int, path: str) -> None:
        self.number, self._where = number, (port, path)
        self.seen: list[tuple[int, int]] = []  # sender and their message's number, as they came
        self.heard_at = 0.0
        self.cut_off = False

    async def come(self) -> None:
        self._socket = await client.connect(*self._where, self._heard, self._gone)

    def say(self, count: int) -> None:
        for number in range(1, count + 1):
            self._socket.frame(message=text(self.number, number))

    def leave(self) -> None:
        self._socket.close()

    def _gone(self) -> None:
        self.cut_off = True

    def _heard(self, payload: bytes) -> None:
        sender, number, _ = json.loads(payload)["message"].split(" ", 2)
        self.seen.append((int(sender), int(number)))
        self.heard_at = time.monotonic()


async def until(holds: Callable[[], bool], within: float) -> bool:
    """Whether it does so within that many seconds."""
    deadline = time.monotonic() + within
    while not (held := holds()) and time.monotonic() < deadline:
        await asyncio.sleep(0.002)
    return held
