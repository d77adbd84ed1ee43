"""A client of the STOMP sockets through the real ASGI app, for tests in one process."""

import json
from contextlib import asynccontextmanager
from uuid import uuid4

from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import RequestFactory

from accounts import devices
from accounts.stand_ins import stand_in
from chattalk.asgi import application
from interfaces.stomp.frames import Frame, Parser, encode
from tests.interfaces.socket.client import PAGE, hang_up

PASSWORD = "a long and quiet evening"


def called(user) -> str:
    """What others call them; oneself is called by the e-mail."""
    return stand_in(user.pk, user.display_name)


def token(user) -> str:
    if not user.has_usable_password():  # a new one would end the earlier sign-ins
        user.set_password(PASSWORD)
        user.save()
    return devices.sign_in(RequestFactory().post("/"), user.email, PASSWORD).access


class Stomp:
    """One connection: what is sent is encoded by our own codec, which has tests of its own."""

    version = "1.2"

    def __init__(self, raw: WebsocketCommunicator) -> None:
        self.raw = raw
        self.parser = Parser()
        self.got: list[Frame] = []
        self.closed: int | None = None

    # --- the transport --------------------------------------------------------------------------

    async def text(self, text: str) -> None:
        await self.raw.send_to(text_data=text)

    async def receive(self) -> str:
        """The next text of the server; empty when it has closed the connection."""
        message = await self.raw.receive_output(timeout=5)
        if message["type"] == "websocket.close":
            self.closed = message["code"]
            return ""
        return message["text"]

    # --- frames ---------------------------------------------------------------------------------

    async def send(self, command: str, body: str = "", **headers) -> None:
        named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
        await self.text(encode(command, named, body, self.version))

    async def frame(self) -> Frame | None:
        """The next frame, or None at the end of the connection."""
        while not self.got:
            text = await self.receive()
            if self.closed is not None:
                return None
            self.got += self.parser.feed(text.encode())
        return self.got.pop(0)

    async def next(self, command: str, **headers) -> Frame:
        """The next frame of this kind; others are kept."""
        kept = []
        while True:
            frame = await self.frame()
            assert frame is not None, f"closed with {self.closed}, kept {kept}"
            if frame.command == command and headers.items() <= frame.headers.items():
                break
            kept.append(frame)
        self.got = kept + self.got
        return frame

    async def connect(self, token: str | None = None, **headers) -> Frame:
        headers.setdefault("accept_version", "1.2,1.1,1.0")
        if token:
            headers["Authorization"] = f"Bearer {token}"
        await self.send("CONNECT", **headers)
        answer = await self.frame()
        if answer.command == "CONNECTED":
            self.version = self.parser.version = answer.headers["version"]
        return answer

    async def asked(self, command: str, body: str = "", **headers) -> Frame:
        """Send with a receipt; answers the RECEIPT."""
        receipt = uuid4().hex
        await self.send(command, body, receipt=receipt, **headers)
        return await self.next("RECEIPT", **{"receipt-id": receipt})

    async def subscribe(self, destination: str, id: str = "s", **headers) -> Frame:
        return await self.asked("SUBSCRIBE", id=id, destination=destination, **headers)

    async def deed(self, what: str, room, message: str | None = None, **headers) -> None:
        body = {"chatId": str(getattr(room, "pk", room))}
        body |= {} if message is None else {"message": message}
        await self.send("SEND", json.dumps(body), destination=f"/send/chat/{what}", **headers)

    async def line(self, id: str = "s") -> dict:
        return json.loads((await self.next("MESSAGE", subscription=id)).body)

    async def said(self, id: str = "s") -> dict:
        """The next line that is not of coming or going."""
        while (line := await self.line(id))["type"] != "MESSAGE":
            pass
        return line

    async def lines(self, how_many: int, id: str = "s") -> list[dict]:
        return [await self.line(id) for _ in range(how_many)]

    async def silent(self) -> bool:
        """Nothing more was sent: an answer comes before anything else."""
        await self.send("UNSUBSCRIBE", id="none", receipt="silence")
        frame = await self.frame()
        while frame and frame.command != "RECEIPT":
            if frame.command == "MESSAGE":
                return False
            frame = await self.frame()
        return True

    async def end(self) -> int:
        """Whatever comes until the server closes the connection; says the code."""
        while await self.frame() is not None:
            pass
        assert self.closed is not None
        return self.closed

    async def close(self, code: int = 1000) -> None:
        await hang_up(self.raw, code)


@asynccontextmanager
async def opened(path="/stomp", *headers, kind=Stomp, subprotocols=()):
    raw = WebsocketCommunicator(application, path, [*(headers or PAGE)], list(subprotocols))
    is_open, subprotocol = await raw.connect(timeout=5)
    assert is_open
    client = kind(raw)
    client.subprotocol = subprotocol
    try:
        yield client
    finally:
        if not raw.future.done():  # also after a close of the server's: then it is told that
            await client.close(client.closed or 1000)


@asynccontextmanager
async def stomp(user, path="/stomp", access=None, **connect):
    """A modern client, connected with a token."""
    access = access or await sync_to_async(token)(user)
    async with opened(path) as client:
        client.connected = await client.connect(access, **connect)
        assert client.connected.command == "CONNECTED", client.connected
        yield client
