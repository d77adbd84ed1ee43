"""A member of one room, with the client that everybody has, whose every step goes into the history.

It is judged by two things: what it was given to read (`shown`), and what came by its line before
the client made anything of it (`wire`). What it does is written down as the line has it, too.
"""

import asyncio
import random
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from chattalk_client import Loss, Lost, Message, Observer, Pruned, Room, SignedOut

from bench.ours import Person
from faults import judge
from faults.chat import Chat
from faults.history import History
from faults.wire import Wire
from messaging.live.close_codes import CloseCode

AGAIN = {"unavailable", "too_many", "rate_limited"}  # with these the client says it again
CLOSE_CODES = 1000  # and more; less is a status of HTTP, in place of the handshake


class Member(Observer):
    def __init__(
        self, name: str, person: Person, room: int, ports: list[int], history: History,
        dice: random.Random,
    ) -> None:  # fmt: skip
        self.name, self.person, self.room = name, person, room
        self.ports, self.history = ports, history
        self.wire = Wire()
        self.shown: list[tuple[int, str]] = []  # seq and cid, in the order they were given out
        self.taken_back = 0  # lines that it was shown, and that are not the room's any more
        self.came = 0
        self.closes: list[int] = []
        self.faults = 0  # closes for a fault of the site
        self.silent = 0  # and because it answered no ping itself
        self.sent_away = 0  # whose sign-in is not taken any more stays away
        self.waiting: set[str] = set()
        self.presence: dict[int, str] = {}
        self.heard_besides: list[dict[str, Any]] = []  # all but events, for scenarios that look
        self.subscribed = asyncio.Event()
        self._read_until = 0  # up to here the log has to be read first
        self._chat = self._client(random.Random(dice.random()))
        self._entered: asyncio.Future[Room] = asyncio.get_running_loop().create_future()
        self._living: asyncio.Task[None] | None = None

    def _client(self, dice: random.Random) -> Chat:
        cookie = f"sessionid={self.person.session}"
        return Chat(self.ports, dice, cookie=cookie, observer=self)

    # --- what a person does -------------------------------------------------------------------

    async def come(self) -> None:
        """Until it is subscribed."""
        self.start()
        await self.subscribed.wait()

    def start(self) -> None:
        self._living = asyncio.create_task(self._live())

    async def _live(self) -> None:
        try:
            async with self._chat as chat:
                room = await chat.enter(self.room, after=0)
                self._entered.set_result(room)
                async for event in room.events():
                    if isinstance(event, Lost):
                        self.taken_back += event.upto - event.after
                        self.shown = [line for line in self.shown if line[0] <= event.after]
                    elif not isinstance(event, Pruned):
                        cid = event.cid if isinstance(event, Message) else None
                        self._show(event.seq, cid or "", event.kind)
        except SignedOut:
            self.sent_away += 1

    def say(self, body: str, cid: str = "") -> "asyncio.Task[int]":
        """The task has the seq; it is sent again until it is acknowledged, or raises Refused."""
        cid = cid or str(uuid4())
        self.waiting.add(cid)
        saying = asyncio.create_task(self._say(body, cid))
        saying.add_done_callback(_look)
        return saying

    async def _say(self, body: str, cid: str) -> int:
        room = await asyncio.shield(self._entered)
        try:
            return (await room.send(body, cid=cid, patient=True)).seq
        finally:
            self.waiting.discard(cid)

    async def talk(self, count: int, window: int = 4, pause: float = 0.0, also: str = "") -> None:
        """That many messages, at most `window` unanswered, `pause` seconds between two."""
        under_way: set[asyncio.Task[int]] = set()
        for number in range(count):
            under_way.add(self.say(f"{self.name} {number} {also}"))
            if len(under_way) >= window:
                _, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            if pause:
                await asyncio.sleep(pause)
        if under_way:
            await asyncio.wait(under_way)

    async def frame(self, **fields: Any) -> None:
        """On the connection of now, if there is one."""
        await self._chat.frame(**fields)

    def cut(self) -> None:
        """The line is gone, without a word; it comes back by itself."""
        self._chat.cut()

    async def go(self, *, goodbye: bool = False) -> None:
        """For good. Raises what its client did not understand."""
        if not goodbye:
            self._chat.cut()
        if self._living is not None:
            self._living.cancel()
            await asyncio.wait([self._living])  # it closes the client
        self._entered.cancel()
        if self._living is not None and not self._living.cancelled():
            self._living.result()

    @property
    def is_connected(self) -> bool:
        return self.subscribed.is_set()

    @property
    def last(self) -> int:
        """Up to here all is shown."""
        return self.shown[-1][0] if self.shown else 0

    # --- what its line tells --------------------------------------------------------------------

    def connecting(self, url: str) -> None:
        self._tell("connect", "invoke", note=str(urlsplit(url).port))

    def lost(self, loss: Loss) -> None:
        self.subscribed.clear()
        self._read_until = 0
        if loss.code is None or loss.code < CLOSE_CODES:
            note = loss.reason if loss.code is None else f"HTTP/1.1 {loss.code}"
            self._tell("connect", "fail", note=note[:80])
            return
        self.closes.append(loss.code)
        is_fault = judge.is_fault(loss.code, loss.reason)
        self.faults += is_fault
        self.silent += loss.code == CloseCode.INTERNAL_ERROR and not is_fault
        self._tell("closed", "info", note=str(loss.code))

    def sent(self, frame: dict[str, Any]) -> None:
        self.wire.sent(frame)
        if frame["type"] == "send":
            self._tell("send", "invoke", cid=frame["cid"])

    def heard(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "event":
            self._told(frame)
            return
        self.heard_besides.append(frame)
        match frame["type"]:
            case "ack":
                note = "repeated" if frame["repeated"] else ""
                self._tell("send", "ok", cid=frame["cid"], seq=frame["seq"], note=note)
            case "nack":
                self._refused(frame)
            case "subscribed":
                self._subscribed(frame)
            case "presence":
                self._note_presence(frame)

    def _subscribed(self, frame: dict[str, Any]) -> None:
        """What the line can not tell has to be read in the log before it counts as here."""
        self.came += 1
        self.wire.subscribed(frame)
        self._tell("connect", "ok", seq=frame["head"], note=str(frame["recovered"]))
        self._read_until = 0 if frame["recovered"] else frame["head"]
        if self.last >= self._read_until:
            self.subscribed.set()

    def _told(self, frame: dict[str, Any]) -> None:
        if frame["room"] == self.room:
            self.wire.told(frame)
        else:
            self._show(frame["seq"], frame.get("cid", ""), f"of room {frame['room']}")

    def _refused(self, frame: dict[str, Any]) -> None:
        code, cid = frame["code"], frame.get("cid")
        if cid is None:  # a subscription
            self._tell("connect", "fail", note=code)
        else:
            self._tell("send", "info" if code in AGAIN else "fail", cid=cid, note=code)

    def _show(self, seq: int, cid: str, note: str) -> None:
        self.shown.append((seq, cid))
        if seq == self._read_until:
            self.subscribed.set()
        self._tell("show", "ok", seq=seq, cid=cid, note=note)

    def _note_presence(self, frame: dict[str, Any]) -> None:
        if frame["full"]:
            self.presence = {}
        self.presence |= {
            one["id"]: one["name"] for one in [*frame.get("here", []), *frame.get("came", [])]
        }
        for one in frame.get("went", []):
            self.presence.pop(one["id"], None)

    def _tell(self, op: str, phase: str, **known: int | str) -> None:
        self.history.add(self.name, op, phase, room=self.room, **known)


def _look(saying: "asyncio.Task[int]") -> None:
    """Whoever waits for it is told; nobody has to."""
    if not saying.cancelled():
        saying.exception()
