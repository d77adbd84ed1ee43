"""The original's page, in one browser: its requests, and the two sockets of a room (SockJS, STOMP).

As it is served: it marks nothing as read itself, and says nothing when its person goes Back.
"""

import asyncio
import json
import time
from secrets import token_hex
from typing import Any

from bench import client
from bench.rest import Http
from faults import until
from interfaces.stomp.frames import Frame, Parser, encode

VERSION = "1.1"
WITHIN = 20.0  # seconds
BEAT_EVERY = 1.0  # its own are 10 s apart; a beat must never mark what nobody sees


class Browser:
    """One sign-in, whose requests go to any worker."""

    def __init__(self, access: str, ports: list[int]) -> None:
        self.cookie, self._ports, self._turn = f"Authorization=Bearer%20{access}", ports, 0
        self.access = access

    async def missed(self, room: int) -> list[str]:
        """GET read, without who came and went."""
        lines = await self._ask("GET", f"/api/open-chats/read/{room}")
        return [line["message"] for line in lines if line["type"] == "MESSAGE"]

    async def put(self, room: int) -> None:
        await self._ask("PUT", f"/api/open-chats/read/{room}")

    async def list(self) -> None:
        await self._ask("GET", "/api/open-chats")

    async def _ask(self, method: str, path: str) -> Any:
        self._turn += 1
        http = Http(self._ports[self._turn % len(self._ports)])
        http.cookie = self.cookie
        async with asyncio.timeout(WITHIN):
            await http.open()
            try:
                status, _, body = await http.ask(
                    method, path, headers={"Referer": "http://127.0.0.1/"}
                )
            finally:
                http.close()
        assert status == 200, (method, path, status, body)
        return json.loads(body or b"null")


class PageSocket:
    """One of the two of a room: `chat` or `participant`."""

    def __init__(self, what: str, access: str) -> None:
        self.what, self._access, self._parser = what, access, Parser()
        self.heard: list[tuple[float, dict[str, Any]]] = []  # and when
        self.is_gone = self._is_open = self._is_connected = False

    async def open(self, port: int, cookie: str, room: int) -> None:
        path = f"/stomp/{self.what}/042/{token_hex(4)}/websocket"
        self._socket = await client.connect(port, path, self._heard, self._gone, cookie=cookie)
        assert await until(lambda: self._is_open, WITHIN), "nobody opens it"
        headers = {"Authorization": f"Bearer {self._access}"} if self.what == "chat" else {}
        self.send("CONNECT", **{"accept-version": VERSION, "heart-beat": "10000,10000"}, **headers)
        assert await until(lambda: self._is_connected, WITHIN), "no CONNECTED"
        self.send("SUBSCRIBE", id="sub-0", destination=f"/sub/{self.what}/{room}")
        self._beats = asyncio.create_task(self._beat())

    def deed(self, what: str, room: int, **more: str) -> None:
        body = json.dumps({"chatId": str(room), **more})
        self.send("SEND", body, destination=f"/send/chat/{what}")

    def send(self, command: str, body: str = "", **headers: str) -> None:
        self._socket.say(json.dumps([encode(command, headers, body, VERSION)]))

    async def _beat(self) -> None:
        while not self.is_gone:
            self._socket.say('["\\n"]')
            await asyncio.sleep(BEAT_EVERY)

    def _heard(self, payload: bytes) -> None:
        text = payload.decode()
        self._is_open |= text == "o"
        for inside in json.loads(text[1:]) if text.startswith("a") else ():
            for frame in self._parser.feed(inside.encode()):
                if isinstance(frame, Frame):
                    self._take(frame)

    def _take(self, frame: Frame) -> None:
        if frame.command == "CONNECTED":
            self._parser.version, self._is_connected = VERSION, True
        elif frame.command == "MESSAGE":
            self.heard.append((time.monotonic(), json.loads(frame.body)))

    def _gone(self) -> None:
        self.is_gone = True

    async def end(self) -> None:
        """As "Go to list" ends it: all that was sent is taken first."""
        self.send("DISCONNECT")
        await until(lambda: self.is_gone, WITHIN)
        self.close()

    def close(self) -> None:
        self._beats.cancel()
        self._socket.close()
