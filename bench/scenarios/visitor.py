"""One user of the original's load: signs in, looks at the rooms, makes one, and talks in room 1."""

import asyncio
import json
import re
import time
from asyncio import Future
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bench import client
from bench.rest import Http

PASSWORD = "test"
PATIENCE = 20  # seconds, for any answer: what took longer had failed in the original's record
BETWEEN = 1.0  # seconds, from one thing that somebody does to the next
SAYS = 3  # messages
TRIES = 20  # of who is told when to come back, and does
PUT_OFF = (429, 503)
RETRY_AFTER = re.compile(rb"\r\nretry-after: *([0-9]+)", re.IGNORECASE)


@dataclass
class Seen:
    """What the crowd met: seconds by kind, failures by kind and reason, lines that arrived."""

    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failed: Counter[str] = field(default_factory=Counter)
    put_off: Counter[str] = field(default_factory=Counter)  # told when to come back
    done: int = 0  # visits, from the first step to the last
    lines: int = 0
    said: int = 0

    @asynccontextmanager
    async def timed(self, kind: str):
        began = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE):
                yield
        except (OSError, TimeoutError, Refused, asyncio.IncompleteReadError) as error:
            self.failed[f"{kind}: {str(error) or type(error).__name__}"] += 1
            raise Refused(kind) from error
        self.took[kind].append(time.perf_counter() - began)


class Refused(Exception):
    """A step failed, and was counted; this visitor goes home."""


class PutOff(Exception):
    """Told to come back in so many seconds."""


class Visitor:
    def __init__(self, number: int, port: int, room: int, seen: Seen) -> None:
        self.number, self.port, self.room, self.seen = number, port, room, seen
        self.email = f"test{number}@test.com"
        self.http = Http(port)
        self._wanted: Callable[[bytes], bool] | None = None
        self._met: Future[None]

    async def visit(self) -> None:
        try:
            async with self.seen.timed("connect"):
                await self.http.open()
            await self._sign_in()
            await self._look_around()
            await self._talk()
            await self._ask("away", "PUT", f"/api/open-chats/read/{self.room}")
            self.http.close()
            self.seen.done += 1
        except Refused as refused:
            if refused.__cause__ is None:
                raise

    # --- REST -----------------------------------------------------------------------------------

    async def _ask(self, kind: str, method: str, path: str, body: object = None) -> bytes:
        """Again and again, where the server says when."""
        for _ in range(TRIES):
            try:
                async with self.seen.timed(kind):
                    return await self._once(method, path, body)
            except PutOff as told:
                self.seen.put_off[kind] += 1
                await asyncio.sleep(told.args[0])
        self.seen.failed[f"{kind}: put off {TRIES} times"] += 1
        raise Refused(kind) from TimeoutError()

    async def _once(self, method: str, path: str, body: object) -> bytes:
        status, self._head, answer = await self.http.ask(method, path, body)
        if status in PUT_OFF and (seconds := RETRY_AFTER.search(self._head)):
            raise PutOff(int(seconds[1]))
        if status != 200:
            raise Refused(f"{status}")
        return answer

    async def _sign_in(self) -> None:
        given = {"email": self.email, "password": PASSWORD}
        await self._ask("sign_in", "POST", "/api/users/login", given)
        said = self._head.decode().partition("Authorization=")[2]
        self.http.cookie = f"Authorization={said.partition(';')[0].strip(chr(34))}"
        self.token = self.http.cookie.partition("%20")[2]

    async def _look_around(self) -> None:
        await self._list()
        title = {"title": f"Room of {self.number}", "maxPersonnel": 10}
        await self._ask("create", "POST", "/api/open-chats/create", title)
        await asyncio.sleep(BETWEEN)
        await self._list()

    async def _list(self) -> None:
        rooms = json.loads(await self._ask("list", "GET", "/api/open-chats"))
        assert rooms and rooms[0].keys() >= {"chatId", "title", "personnel"}

    # --- STOMP ----------------------------------------------------------------------------------

    async def _talk(self) -> None:
        await self._ask("missed", "GET", f"/api/open-chats/read/{self.room}")
        await self._ask("info", "GET", "/stomp/chat/info")
        path = f"/stomp/chat/{self.number % 1000:03}/{self.number:08}/websocket"
        async with self.seen.timed("socket"):
            opened = self._expect(lambda told: told == b"o")  # it may come with the handshake
            self.socket = await client.connect(self.port, path, self._heard, self._gone)
            await opened
            self._send("CONNECT", f"Authorization:Bearer {self.token}", *OFFER)
            await self._until(lambda told: told.startswith(b'a["CONNECTED'))
        async with self.seen.timed("enter"):
            self._send("SUBSCRIBE", "id:sub-0", f"destination:/sub/chat/{self.room}")
            self._send("SEND", "destination:/send/chat/enter", body={"chatId": str(self.room)})
            mine = self.email.encode()
            await self._until(lambda told: b"ENTER" in told and mine in told)
        for count in range(SAYS):
            await self._say(f"hello from {self.number}, number {count}.")
            await asyncio.sleep(BETWEEN)
            await self._list()
        self._send("DISCONNECT")
        self._wanted = None
        self.socket.say_goodbye()

    async def _say(self, text: str) -> None:
        """Until it comes back: the sender hears it as everybody does."""
        async with self.seen.timed("message"):
            said = {"chatId": str(self.room), "message": text}
            self._send("SEND", "destination:/send/chat/message", body=said)
            await self._until(lambda told: text.encode() in told)
        self.seen.said += 1

    def _send(self, command: str, *headers: str, body: object = None) -> None:
        text = "" if body is None else json.dumps(body)
        length = (f"content-length:{len(text)}",) if text else ()
        frame = "\n".join([command, *headers, *length, "", text]) + "\0"
        self.socket.say(json.dumps([frame]))

    def _heard(self, told: bytes) -> None:
        self.seen.lines += told.startswith(b'a["MESSAGE')
        if self._wanted is not None and self._wanted(told):
            self._wanted = None
            if not self._met.done():
                self._met.set_result(None)

    def _gone(self) -> None:
        if self._wanted is not None and not self._met.done():
            self._met.set_exception(Refused(f"closed with {self.socket.code}"))

    def _expect(self, wanted: Callable[[bytes], bool]) -> Future[None]:
        self._wanted, self._met = wanted, asyncio.get_running_loop().create_future()
        return self._met

    async def _until(self, wanted: Callable[[bytes], bool]) -> None:
        if not self.socket.is_open:
            raise Refused(f"closed with {self.socket.code}")
        await self._expect(wanted)


OFFER = ("accept-version:1.1,1.0", "heart-beat:10000,10000")
