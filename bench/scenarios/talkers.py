"""Members of one room who say much at once, keep account of all they hear, and come back when cut
off: for ChatTalk by its wire, and for peers whose wire is "plain"."""

import asyncio
import json
import time
from collections.abc import Callable
from uuid import uuid4

from bench import client
from bench.ours import Person

BYTES = 200  # of a message's text
AGAIN_SECONDS = 0.2  # before a client comes back, or sends again what was refused for now
COME_BACK = ("unavailable", "too_many", "rate_limited")  # docs/wire.md: send again


def text(sender: int, number: int) -> str:
    return f"{sender} {number} ".ljust(BYTES, "x")


class Talker:
    """A client as docs/wire.md asks for: it resumes after the last line it saw, and sends again
    what was not acknowledged, under the same id."""

    def __init__(self, number: int, person: Person, room: int, port: int, path: str) -> None:
        self.number, self.room = number, room
        self._where = (port, path, person.session)
        self.seen: list[tuple[int, str]] = []  # seq and cid, as they came
        self.waiting: dict[str, str] = {}  # what was sent and not acknowledged, by cid
        self.acked: dict[str, int] = {}
        self.refused: list[str] = []
        self.came = self.unrecovered = 0  # how often; how often it was not told what it missed
        self.heard_at = 0.0
        self._said = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = False

    @property
    def last(self) -> int:
        return self.seen[-1][0] if self.seen else 0

    async def come(self) -> None:
        port, path, session = self._where
        while not self._over:
            try:
                self._socket = await client.connect(
                    port, path, self._heard, self._gone, session=session
                )
                break
            except ConnectionError:
                await asyncio.sleep(AGAIN_SECONDS)
        self._socket.frame(type="subscribe", room=self.room, after=self.last)

    def say(self, count: int) -> None:
        for _ in range(count):
            self._said += 1
            cid = str(uuid4())
            self.waiting[cid] = text(self.number, self._said)
            self._send(cid)

    def leave(self) -> None:
        self._over = True
        self._socket.close()

    def _send(self, cid: str) -> None:
        if cid in self.waiting:
            self._socket.frame(type="send", room=self.room, cid=cid, body=self.waiting[cid])

    def _gone(self) -> None:
        if not self._over:
            task = asyncio.get_running_loop().create_task(self.come())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _heard(self, payload: bytes) -> None:
        frame = json.loads(payload)
        match frame["type"]:
            case "event":
                self.seen.append((frame["seq"], frame.get("cid", "")))
                self.heard_at = time.monotonic()
            case "ack":
                self.acked[frame["cid"]] = frame["seq"]
                self.waiting.pop(frame["cid"], None)
            case "subscribed":
                self.came += 1
                self.unrecovered += not frame["recovered"]
                for cid in tuple(self.waiting):
                    self._send(cid)
            case "nack":
                self._refused(frame)

    def _refused(self, frame: dict) -> None:
        if frame["code"] in COME_BACK and "cid" in frame:
            loop = asyncio.get_running_loop()
            loop.call_later(AGAIN_SECONDS, self._send, frame["cid"])
        else:
            self.refused.append(frame["code"])


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
