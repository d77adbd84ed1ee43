"""A member of one room: a client as docs/wire.md asks for, whose every step goes into the history.

It resumes after the last line it has without a hole, sends again what was not answered under the
same id, waits before it comes back as our own page does, and takes the other worker then. It shows
what comes as it comes (screen.py). A line that comes again is shown once, as on our page; within
one subscription it should not, and counts.
"""

import asyncio
import json
import random
from asyncio import Future
from contextlib import suppress
from typing import Any
from uuid import uuid4

from bench import client
from bench.ours import Person
from faults import backoff, judge, rest
from faults.history import History
from faults.said import Refused, Said
from faults.screen import Screen
from messaging.live.close_codes import CloseCode

ANSWER_WITHIN = 10.0  # seconds, for a connection, a pong, an answer to a message
PING_EVERY = 25.0  # seconds
AGAIN = {"unavailable": 1.0, "too_many": 0.2, "rate_limited": 0.2, "not_subscribed": 0.2}
LOST = (OSError, TimeoutError, EOFError)


class Member:
    def __init__(
        self, name: str, person: Person, room: int, ports: list[int], history: History,
        dice: random.Random,
    ) -> None:  # fmt: skip
        self.name, self.person, self.room = name, person, room
        self.ports, self.history = ports, history
        self._dice = random.Random(dice.random())
        self.screen = Screen(room, self._shown)
        self.reloads = 0  # how often the server could not tell what was missed
        self.came = 0
        self.closes: list[int | None] = []
        self.faults = 0  # closes for a fault of the site
        self.silent = 0  # and because it answered no ping itself
        self.waiting: dict[str, Said] = {}
        self.presence: dict[int, str] = {}
        self.heard: list[dict[str, Any]] = []  # all but events: for scenarios that look at it
        self.subscribed = asyncio.Event()
        self.ping_every = PING_EVERY
        self._loading: asyncio.Task[None] | None = None
        self._turn = 0  # which of the ports is next
        self._over = False
        self._socket: client.Socket | None = None
        self._task: asyncio.Task[None] | None = None
        self._pong: asyncio.TimerHandle | None = None

    # --- what a person does -------------------------------------------------------------------

    async def come(self) -> None:
        """Until it is subscribed."""
        self.start()
        await self.subscribed.wait()

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._live())

    def say(self, body: str, cid: str = "") -> "Future[int]":
        """The future has the seq; it is sent again until it is acknowledged, or raises Refused."""
        said = Said(body, cid or str(uuid4()))
        self.waiting[said.cid] = said
        self._send(said)
        return said.answer

    async def talk(self, count: int, window: int = 4, pause: float = 0.0, also: str = "") -> None:
        """That many messages, at most `window` unanswered, `pause` seconds between two."""
        under_way: set[Future[int]] = set()
        for number in range(count):
            under_way.add(self.say(f"{self.name} {number} {also}"))
            if len(under_way) >= window:
                _, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            if pause:
                await asyncio.sleep(pause)
        if under_way:
            await asyncio.wait(under_way)

    def frame(self, **fields: Any) -> None:
        """On the connection of now, if there is one."""
        if self._socket is not None:
            self._socket.frame(**fields)

    def cut(self) -> None:
        """The line is gone, without a word; it comes back by itself."""
        if self._socket is not None:
            self._socket.close()

    async def go(self, *, goodbye: bool = False) -> None:
        """For good."""
        self._over = True
        if self._socket is not None:
            self._socket.say_goodbye() if goodbye else self._socket.close()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        for said in self.waiting.values():
            said.stop()

    @property
    def is_connected(self) -> bool:
        return self.subscribed.is_set()

    # --- the connection -----------------------------------------------------------------------

    async def _live(self) -> None:
        attempt, loop = 0, asyncio.get_running_loop()
        while not self._over:
            began = loop.time()
            code, reason = await self._connection()
            if self._over:
                return
            attempt = 0 if loop.time() - began > backoff.STABLE_AFTER else attempt
            await asyncio.sleep(backoff.wait(self._dice, attempt, code, reason))
            attempt = min(attempt + 1, 10)

    async def _connection(self) -> tuple[int | None, str]:
        """One, from its beginning to its end; says what it was closed with, and why."""
        port = self.ports[self._turn % len(self.ports)]
        self._turn += 1
        gone = asyncio.Event()
        self._tell("connect", "invoke", note=str(port))
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                self._socket = await self._reach(port, gone)
        except LOST as error:
            self._tell("connect", "fail", note=f"{type(error).__name__}: {error}"[:80])
            return None, ""
        try:
            self._socket.frame(type="subscribe", room=self.room, after=self.screen.last)
            await self._until_gone(gone)
        finally:
            socket, self._socket = self._socket, None
            self._release(socket)
            self.closes.append(socket.code)
            is_fault = judge.is_fault(socket.code, socket.reason)
            self.faults += is_fault
            self.silent += socket.code == CloseCode.INTERNAL_ERROR and not is_fault
            self._tell("closed", "info", note=str(socket.code))
        return socket.code, socket.reason

    async def _reach(self, port: int, gone: asyncio.Event) -> client.Socket:
        return await client.connect(
            port, "/ws/", self._heard, gone.set, session=self.person.session
        )

    def _release(self, socket: client.Socket) -> None:
        self.subscribed.clear()
        self.screen.forget_held()
        if self._loading:
            self._loading.cancel()
        if self._pong:
            self._pong.cancel()
        socket.close()

    async def _until_gone(self, gone: asyncio.Event) -> None:
        """As long as it is there; a server that does not answer a ping is not."""
        loop = asyncio.get_running_loop()
        while not gone.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self.ping_every if self.is_connected else ANSWER_WITHIN):
                    await gone.wait()
                return
            if not self.is_connected:
                return
            self._pong = loop.call_later(ANSWER_WITHIN, gone.set)
            self.frame(type="ping")

    # --- what it hears --------------------------------------------------------------------------

    def _heard(self, payload: bytes) -> None:
        frame = json.loads(payload)
        match frame["type"]:
            case "event":
                self.screen.hear(frame)
            case "ack":
                self._acknowledged(frame)
            case "nack":
                self._refused(frame)
            case "subscribed":
                self._subscribed(frame)
            case "heads":
                head = frame["rooms"].get(str(self.room), 0)
                if head > self.screen.last and not self.screen.is_held:
                    self.frame(type="subscribe", room=self.room, after=self.screen.last)
            case "presence":
                self._note_presence(frame)
            case "pong" if self._pong:
                self._pong.cancel()
        if frame["type"] != "event":
            self.heard.append(frame)

    def _shown(self, seq: int, cid: str, note: str) -> None:
        self._tell("show", "ok", seq=seq, cid=cid, note=note)

    def _subscribed(self, frame: dict[str, Any]) -> None:
        self.came += 1
        self.screen.subscribed()
        self._tell("connect", "ok", seq=frame["head"], note=str(frame["recovered"]))
        if frame["recovered"]:
            self._open()
        else:
            self.reloads += 1
            self.screen.hold()
            if self._loading:
                self._loading.cancel()
            loop = asyncio.get_running_loop()
            self._loading = loop.create_task(self._load(frame["head"], self._socket))

    async def _load(self, head: int, socket: Any) -> None:
        """What the socket could not tell, from the log; then what came live meanwhile."""
        port = self.ports[(self._turn - 1) % len(self.ports)]
        try:
            while self.screen.last < head:
                path = f"/api/v1/rooms/{self.room}/events/?after={self.screen.last}&limit=100"
                answer = await rest.ask(port, "GET", path, self.person)
                if answer.status != 200 or not answer.said["results"]:
                    raise OSError(f"the log: {answer.status}")
                for line in answer.said["results"]:
                    self.screen.show(line | {"room": self.room})
        except LOST:
            socket.close()  # begin anew
            return
        if self._socket is socket:
            self.screen.let_go()
            self._open()

    def _open(self) -> None:
        self.subscribed.set()
        for said in tuple(self.waiting.values()):
            self._send(said)

    def _note_presence(self, frame: dict[str, Any]) -> None:
        if frame["full"]:
            self.presence = {}
        self.presence |= {
            one["id"]: one["name"] for one in [*frame.get("here", []), *frame.get("came", [])]
        }
        for one in frame.get("went", []):
            self.presence.pop(one["id"], None)

    # --- what it says -----------------------------------------------------------------------------

    def _send(self, said: Said) -> None:
        said.stop()
        if said.answer.done() or not self.is_connected:
            return
        self._tell("send", "invoke", cid=said.cid)
        self.frame(type="send", room=self.room, cid=said.cid, body=said.body)
        said.again(ANSWER_WITHIN, self._send)

    def _acknowledged(self, frame: dict[str, Any]) -> None:
        said = self.waiting.pop(frame["cid"], None)
        note = "repeated" if frame["repeated"] else ""
        self._tell("send", "ok", cid=frame["cid"], seq=frame["seq"], note=note)
        if said is not None:
            said.stop()
            if not said.answer.done():
                said.answer.set_result(frame["seq"])

    def _refused(self, frame: dict[str, Any]) -> None:
        code, cid = frame["code"], frame.get("cid")
        if cid is None:  # a subscription
            self._tell("connect", "fail", note=code)
            if self._socket is not None and code == "unavailable":
                self._socket.close()
            return
        said = self.waiting.get(cid)
        if said is None:
            return
        if code in AGAIN:
            wait = frame.get("retry_after", AGAIN[code])
            self._tell("send", "info", cid=cid, note=code)
            said.again(wait, self._send)
            return
        del self.waiting[cid]
        self._tell("send", "fail", cid=cid, note=code)
        said.stop()
        said.answer.set_exception(Refused(code))
        said.answer.exception()  # whoever waits for it is told; nobody has to

    def _tell(self, op: str, phase: str, **known: int | str) -> None:
        self.history.add(self.name, op, phase, room=self.room, **known)
