"""A client of the original's sockets through the real ASGI app, for tests in one process."""

import asyncio
import json
from contextlib import asynccontextmanager

from asgiref.sync import sync_to_async
from django.test import AsyncClient

from interfaces.original import sockjs
from tests.interfaces.socket.client import PAGE, hang_up
from tests.interfaces.stomp.client import Stomp, opened, token


class SockJS(Stomp):
    """A socket of the original's page, whose every SUBSCRIBE has the same id."""

    version = "1.1"

    async def text(self, text: str) -> None:
        await self.raw.send_to(text_data=json.dumps([text]))

    async def receive(self) -> str:
        text = await super().receive()
        if self.closed is not None or text[0] != "a":
            return ""
        (inside,) = json.loads(text[1:])
        return inside

    # --- what its page does ---------------------------------------------------------------------

    async def enters(self, room, id: str = "sub-0") -> None:
        """Back to back, as the page does it."""
        await self.send("SUBSCRIBE", id=id, destination=f"/sub/chat/{room.pk}")
        await self.deed("enter", room)

    async def watches(self, room) -> None:
        """Asks to be told who takes part."""
        destination = f"/sub/participant/{getattr(room, 'pk', room)}"
        await self.send("SUBSCRIBE", id="sub-0", destination=destination)

    async def shows(self, expected: dict[str, bool]) -> None:
        """Wait until the list of who takes part is this one."""
        async with asyncio.timeout(10):
            shown = None
            while shown != expected:
                shown = {one["email"]: one["isRead"] for one in await self.line("sub-0")}

    async def disconnects(self, within: float = 5) -> None:
        """DISCONNECT, and all that the server does about it is done."""
        await self.send("DISCONNECT")
        await hang_up(self.raw, await self.end(), within)


def cookie(access: str) -> tuple[bytes, bytes]:
    return b"cookie", f"Authorization=Bearer%20{access}".encode()


class Browser:
    """One sign-in at the original's: its REST, and its sockets by `original`."""

    def __init__(self, user, access: str) -> None:
        self.user, self.access = user, access
        self._client = AsyncClient()
        self._client.cookies["Authorization"] = f"Bearer%20{access}"

    @classmethod
    async def of(cls, user) -> "Browser":
        return cls(user, await sync_to_async(token)(user))

    async def read(self, room) -> list[str]:
        """What GET read says was missed, without who came and went."""
        answer = await self._client.get(f"/api/open-chats/read/{room.pk}")
        assert answer.status_code == 200
        return [one["message"] for one in answer.json() if one["type"] == "MESSAGE"]

    async def put(self, room) -> None:
        assert (await self._client.put(f"/api/open-chats/read/{room.pk}")).status_code == 200

    async def list(self, query: str = "", **headers: str) -> None:
        headers = headers or {"Referer": "http://localhost/"}
        answer = await self._client.get(f"/api/open-chats{query}", headers=headers)
        assert answer.status_code == 200

    def socket(self, what="chat"):
        return original(self.user, what, self.access)


@asynccontextmanager
async def original(user, what="chat", access=None):
    """A socket of the original's page, connected as that does it; without `access` of a sign-in of
    its own."""
    access = access or await sync_to_async(token)(user)
    path = f"/stomp/{what}/042/abcd1234/websocket"
    headers = [*PAGE, cookie(access)] if what == "participant" else [*PAGE]
    async with opened(path, *headers, kind=SockJS) as client:
        assert (await client.raw.receive_output())["text"] == sockjs.OPEN
        answer = await client.connect(
            access if what == "chat" else None, accept_version="1.1,1.0", heart_beat="10000,10000"
        )
        assert answer.command == "CONNECTED", answer
        yield client
