"""The socket at /ws/ (docs/wire.md): JSON frames, opened by a session, a token or a ticket."""

from collections.abc import Coroutine, Set
from datetime import datetime
from typing import Any

from core import connection_limits, refusal_log
from core.postgresql.reads import Unavailable
from core.problems import REFUSALS
from interfaces.socket import authentication, handshake
from interfaces.socket.session import Client
from messaging.live import close_codes, connections, frames, node, transport
from messaging.live.close_codes import CloseCode
from messaging.live.outbox import Outbox
from messaging.log.event import Person


class ChatConsumer:
    """One client. Runs its own loop: Channels' would hop to a thread for every frame."""

    door = "ws"
    __slots__ = ("client", "line", "outbox", "proof")

    @classmethod
    def open(cls, scope: dict[str, Any], receive: Any, send: Any) -> Coroutine[Any, Any, None]:
        """The ASGI application."""
        return cls()._run(scope, receive, send)

    async def _run(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        message = await receive()
        assert message["type"] == "websocket.connect"
        address, here = handshake.address(scope), node.current().connections.addresses
        if not authentication.may_open(scope):
            refusal_log.note("a socket from a foreign page", address)
            await send({"type": "websocket.close"})  # before accept: refused with 403
            return
        if not here.take(address):
            await handshake.turn_away(scope, receive, send)
            return
        try:
            await send({"type": "websocket.accept", "subprotocol": _subprotocol(scope)})
            await self._enter(scope, send)
            scope.clear()  # some KiB that nobody asks for any more, while the socket is open
            await self._serve(receive)
        except authentication.NotSignedIn:
            refusal_log.note("a socket without a sign-in that counts", address)
            await send(close_codes.close(CloseCode.SIGNED_OUT))
        except authentication.SomebodyElse:  # before `hello`, so nothing was said by it
            await send(close_codes.close(CloseCode.SOMEBODY_ELSE))
        except (connection_limits.TooMany, Unavailable):
            await send(close_codes.close(CloseCode.BUSY))
        except transport.Gone:
            pass
        except Exception:
            await close_codes.after_a_fault(send)
        finally:
            here.give_back(address)

    async def _enter(self, scope: dict[str, Any], send: Any) -> None:
        user, self.proof = await authentication.of(scope)
        self.line = transport.Connection(transport.behind(send))
        self.outbox = Outbox(send, self.line)
        language = authentication.language(scope, user)
        person = Person(user.pk, user.display_name)
        self.client = Client(person, language, self.outbox.put, self.outbox.send_now)

    async def _serve(self, receive: Any) -> None:
        client, serving = self.client, self.client.node
        await serving.start()
        serving.connections.add(self)
        serving.mine.come(client.user.id, client)
        seconds = int(connections.HEARTBEAT_SECONDS)
        version = frames.VERSION
        client.tell(frames.HelloFrame(user=client.user, heartbeat=seconds, version=version))
        gone_at = client.last_heard
        transport.hand_over(receive, self._take_now)
        try:
            gone_at = await self._listen(receive)
        finally:
            self.outbox.end()
            serving.connections.drop(self)
            serving.mine.go(client.user.id, client)
            client.gone(gone_at)
            self.outbox.release()  # after that: no room has it in its crowd

    async def _listen(self, receive: Any) -> datetime:
        """Handle frames until the socket closes; says when the client was last there."""
        client = self.client
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                if not self.outbox.closed:
                    close_codes.note_end(message)
                clean = transport.said_goodbye(message)
                return client.node.hub.now() if clean else client.last_heard
            if await client.heard() and (self.outbox.closed or self.line.is_over):
                return client.last_heard  # the rest of a flood, of somebody who has gone
            if not self.outbox.closed:
                await self._read(message.get("text") or message.get("bytes") or "")

    def _take_now(self, text: str) -> bool:
        """Do what needs no waiting as it comes in; says whether that was all. What is odd goes the
        usual way."""
        if self.outbox.closed:
            return False
        try:
            return self.client.handle_now(frames.decode(text))
        except frames.BadFrame:
            return False

    async def _read(self, text: str | bytes) -> None:
        try:
            frame = frames.decode(text)
        except frames.BadFrame as error:
            REFUSALS.add("nack", error.answer.code)
            self.client.tell(error.answer)
        else:
            await self.client.handle(frame)

    @property
    def is_busy(self) -> bool:
        return self.client.in_flight > 0 or self.outbox.is_busy

    @property
    def name(self) -> str:
        return self.client.user.name

    def rename(self, user: Person) -> None:
        self.client.rename(user)

    def sign_out(self) -> None:
        """What this socket was opened with is worth nothing any more."""
        self.client.gone(self.client.node.hub.now())
        self.outbox.close(CloseCode.SIGNED_OUT)

    def send_away(self, between: close_codes.Between | None) -> None:
        """It comes back to another process, to the next one here, or for what is true by now."""
        self.outbox.close(CloseCode.RESTART, between)

    def is_in(self, rooms: Set[int]) -> bool:
        return self.client.is_in(rooms)

    def beat(self) -> None:
        rooms = self.client.subscriptions.values()
        self.outbox.check(sum(each.feed.listeners.given for each in rooms))
        self.client.heads()


def _subprotocol(scope: dict[str, Any]) -> str | None:
    offered = scope.get("subprotocols", ())
    return authentication.SUBPROTOCOL if authentication.SUBPROTOCOL in offered else None
