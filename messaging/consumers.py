"""The socket at /ws/ (docs/wire.md): JSON frames, opened by a session, a token or a ticket."""

import asyncio
from datetime import datetime
from typing import Any

from channels.consumer import AsyncConsumer

from messaging import identity, transport, wire
from messaging.client import Client
from messaging.outbox import Outbox
from messaging.wire import Person

HEARTBEAT_SECONDS = 25

SIGNED_OUT = 4001


class ChatConsumer(AsyncConsumer):
    """One client. Runs its own loop: Channels' would hop to a thread for every frame."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        message = await receive()
        assert message["type"] == "websocket.connect"
        if not identity.may_open(scope):
            await send({"type": "websocket.close"})  # before accept: refused with 403
            return
        await send({"type": "websocket.accept", "subprotocol": _subprotocol(scope)})
        try:
            user, self.proof = await identity.of(scope)
        except identity.NotSignedIn:
            await send({"type": "websocket.close", "code": SIGNED_OUT})
            return
        self.line = transport.Line(scope.get("transport"))
        self.outbox = Outbox(send, self.line)
        language = identity.language(scope, user)
        person = Person(user.pk, user.display_name)
        self.client = Client(person, language, self.outbox.put, self.outbox.pass_on)
        await self._serve(receive)

    async def _serve(self, receive: Any) -> None:
        client, serving = self.client, self.client.node
        await serving.start()
        client.say(type="hello", user=client.user, heartbeat=HEARTBEAT_SECONDS, version=1)
        client.start(self._beat())
        serving.sockets.add(self)
        gone_at = client.last_heard
        try:
            gone_at = await self._listen(receive)
        finally:
            self.outbox.closed = True
            serving.sockets.drop(self)
            client.gone(gone_at)

    async def _listen(self, receive: Any) -> datetime:
        """Handle frames until the socket closes; says when the client was last there."""
        client = self.client
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                clean = transport.said_goodbye(message)
                return client.node.hub.now() if clean else client.last_heard
            await client.heard()
            if not self.outbox.closed:
                await self._read(message.get("text") or message.get("bytes") or "")

    async def _read(self, text: str | bytes) -> None:
        try:
            frame = wire.decode(text)
        except ValueError as error:
            self.client.say(type="nack", code="bad_frame", detail=str(error))
        else:
            await self.client.handle(frame)

    @property
    def is_busy(self) -> bool:
        return self.client.in_flight > 0 or self.outbox.is_busy

    def sign_out(self) -> None:
        """What this socket was opened with is worth nothing any more."""
        self.client.gone(self.client.node.hub.now())
        self.outbox.close(SIGNED_OUT)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            self.outbox.check()
            self.client.heads()


def _subprotocol(scope: dict[str, Any]) -> str | None:
    offered = scope.get("subprotocols", ())
    return identity.SUBPROTOCOL if identity.SUBPROTOCOL in offered else None
