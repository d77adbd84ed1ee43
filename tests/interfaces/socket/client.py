"""A client of /ws/ through the real ASGI app, for tests in one process."""

import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from chattalk.asgi import application

PAGE = (b"host", b"localhost"), (b"origin", b"http://localhost")  # one of ours


def session_cookie(user) -> tuple[bytes, bytes]:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    return b"cookie", f"{settings.SESSION_COOKIE_NAME}={session}".encode()


async def hang_up(raw: WebsocketCommunicator, code: int = 1000, within: float = 5) -> None:
    """The line ends, and all that the application does about it is done. The communicator's own
    `disconnect` and `wait` say nothing where it is not: they cancel it, and go on."""
    await raw.send_input({"type": "websocket.disconnect", "code": code})
    await ended(raw, within)


async def ended(raw: WebsocketCommunicator, within: float = 5) -> None:
    done, _ = await asyncio.wait({raw.future}, timeout=within)
    assert done, "the application goes on after the end of its socket"
    raw.future.result()


class Socket:
    def __init__(self, communicator: WebsocketCommunicator) -> None:
        self.raw = communicator
        self.passed_over: list[dict[str, Any]] = []

    async def send(self, type: str, **fields: Any) -> None:
        await self.raw.send_to(text_data=json.dumps({"type": type, **fields}, default=str))

    async def frame(self) -> dict[str, Any]:
        message = await self.raw.receive_output(timeout=5)
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    async def next(self, *types: str) -> dict[str, Any]:
        """The next frame of one of these types; others are kept for who asks for them."""
        for frame in self.passed_over:
            if frame["type"] in types:
                self.passed_over.remove(frame)
                return frame
        while (frame := await self.frame())["type"] not in types:
            self.passed_over.append(frame)
        return frame

    async def subscribe(self, room, after: int | None = None) -> dict[str, Any]:
        await self.send("subscribe", room=room.pk, **({} if after is None else {"after": after}))
        answer = await self.next("subscribed", "nack")
        self.passed_over.clear()  # events of an earlier subscription came before it
        return answer

    async def say(self, room, body: str, cid=None) -> dict[str, Any]:
        cid = str(cid or uuid4())
        await self.send("send", room=room.pk, body=body, cid=cid)
        while True:
            answer = await self.next("ack", "nack")
            if answer.get("cid") == cid:
                return answer

    async def events(self, how_many: int) -> list[dict[str, Any]]:
        return [await self.next("event") for _ in range(how_many)]

    async def silent(self) -> bool:
        """Nothing more has been sent: a ping is answered before anything else comes."""
        await self.send("ping", ref="silence")
        frame = await self.next("event", "pong")
        return frame["type"] == "pong"

    async def close(self, code: int = 1000) -> None:
        await hang_up(self.raw, code)


@asynccontextmanager
async def socket(user, *headers: tuple[bytes, bytes]):
    cookie = await sync_to_async(session_cookie)(user)
    communicator = WebsocketCommunicator(application, "/ws/", [cookie, *PAGE, *headers])
    connected, _ = await communicator.connect(timeout=5)
    assert connected
    client = Socket(communicator)
    client.hello = await client.frame()
    assert client.hello["type"] == "hello" and client.hello["user"]["id"] == user.pk
    yield client
    await client.close()
