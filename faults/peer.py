"""Clients of other chat servers: they come back when cut off, and show what they are sent."""

import asyncio
import json
import random
from contextlib import suppress

from chattalk_client.backoff import Backoff, Loss

from bench import client


class Chatter:
    """On a wire of plain `{"message": text}` frames, as in the Channels tutorial."""

    def __init__(self, port: int, path: str, dice: random.Random) -> None:
        self._where = port, path
        self._dice = random.Random(dice.random())
        self.said: list[str] = []  # what went out on a line that was open
        self.shown: list[str] = []
        self.open = asyncio.Event()
        self._socket: client.Socket | None = None

    async def live(self) -> None:
        """Until it is cancelled."""
        backoff = Backoff(self._dice)
        while True:
            gone = asyncio.Event()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(10):
                    self._socket = await client.connect(*self._where, self._heard, gone.set)
                self._greet()
                backoff = Backoff(self._dice)
                await gone.wait()
            self.open.clear()
            await asyncio.sleep(backoff.wait(Loss()))

    async def talk(self, name: str, count: int, pause: float) -> None:
        for number in range(count):
            await self.open.wait()
            text = f"{name} {number}"
            self.said.append(text)
            self._say(text)
            await asyncio.sleep(pause)

    def cut(self) -> None:
        if self._socket is not None:
            self._socket.close()

    # --- the wire -------------------------------------------------------------------------------

    def _send(self, text: str) -> None:
        assert self._socket is not None, "a line was open"
        self._socket.say(text)

    def _greet(self) -> None:
        self.open.set()

    def _say(self, text: str) -> None:
        self._send(json.dumps({"message": text}))

    def _heard(self, payload: bytes) -> None:
        self.shown.append(json.loads(payload)["message"])


class SocketIOChatter(Chatter):
    """Socket.IO over its WebSocket transport: a room to join, then `msg` both ways."""

    ROOM = "faults"

    def _greet(self) -> None:
        self._send("40")  # open again after `joined`

    def _say(self, text: str) -> None:
        self._send("42" + json.dumps(["msg", {"room": self.ROOM, "body": text}]))

    def _heard(self, payload: bytes) -> None:
        text = payload.decode()
        if text == "2":
            self._send("3")
        elif text.startswith("40"):
            self._send("42" + json.dumps(["join", self.ROOM]))
        elif text.startswith("42"):
            event, what = json.loads(text[2:])
            if event == "joined":
                self.open.set()
            elif event == "msg":
                self.shown.append(what["body"])
