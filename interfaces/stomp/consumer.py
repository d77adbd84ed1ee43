"""STOMP on a plain WebSocket, at /stomp."""

import asyncio
import logging

from channels.consumer import AsyncConsumer
from django.conf import settings

from core import refusal_log
from core.rate_limits import Pace
from interfaces.socket import authentication, handshake, origins
from interfaces.socket.session import REFUSED, REFUSED_SECONDS
from interfaces.stomp.commands import Sender
from interfaces.stomp.parsing import bearer
from interfaces.stomp.replies import Transport
from interfaces.stomp.session import Session
from messaging.live import close_codes, node, transport
from messaging.live.close_codes import CloseCode
from messaging.live.outbox import Outbox
from messaging.live.packets import packet

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0  # a connection that does not say who it is takes a place for no longer
SUBPROTOCOLS = ("v12.stomp", "v11.stomp", "v10.stomp")


class StompConsumer(AsyncConsumer):
    """The caller is known by a token in CONNECT, or by a session."""

    session_class = Session
    door = "stomp"

    async def __call__(self, scope, receive, send):
        message = await receive()
        assert message["type"] == "websocket.connect"
        address, sockets = handshake.address(scope), node.current().connections
        if not may_open(scope):
            refusal_log.note("a socket from a foreign page", address)
            await send({"type": "websocket.close"})  # before accept: refused with 403
            return
        if not sockets.admit(address):
            await handshake.turn_away(scope, receive, send)
            return
        self.is_stranger = True
        try:
            await self._open(scope, send)
            await self._serve(receive)
        except transport.Gone:
            pass
        except Exception:
            await close_codes.after_a_fault(send)
        finally:
            self._is_known(address)
            sockets.addresses.give_back(address)
            self._let_go()

    def _let_go(self):
        """It and its session know each other, and what goes in circles stays
        (chattalk/server/memory.py)."""
        if session := vars(self).get("session"):
            vars(session).clear()
        vars(self).clear()

    def _is_known(self, address):
        """It has said who it is, or has gone: it counts as a stranger no more."""
        if self.is_stranger:
            self.is_stranger = False
            node.current().connections.strangers.give_back(address)

    async def _open(self, scope, send):
        self.scope, self.line = scope, transport.Connection(transport.behind(send))
        await send({"type": "websocket.accept", "subprotocol": self.subprotocol()})
        self.outbox = Outbox(send, self.line)
        self.greet()
        reached = Transport(self.send, self.close, self.signed_in, self.identify)
        self.session = self.session_class(reached)
        self.session.language = accepted_language(scope)

    # --- the shape of the transport -------------------------------------------------------------

    def subprotocol(self):
        offered = self.scope.get("subprotocols", ())
        return next((one for one in SUBPROTOCOLS if one in offered), None)

    def greet(self):
        """Before anything else."""

    def send(self, text):
        self.outbox.put(packet(text))

    def close(self, code, why, between=None):
        self.outbox.close(code, between)

    def read(self, message):
        text = message.get("text")
        return (message.get("bytes") or b"") if text is None else text.encode(errors="replace")

    # --- who it is ------------------------------------------------------------------------------

    async def identify(self, frame):
        """By the token it shows; else by its cookies, if a page of ours sent them.

        Raises PermissionError (nobody), Unavailable (it can't be known now).
        """
        token = shown_token(frame) or self.cookie_token()
        try:
            if token is not None:
                return await authentication.by_token(token)
            if has_own_origin(self.scope):
                return await self.by_session()
        except authentication.NotSignedIn:
            pass
        refusal_log.note("a socket without a sign-in that counts", handshake.address(self.scope))
        raise PermissionError

    def cookie_token(self):
        """The token of a cookie that counts here: there is none."""
        return None

    async def by_session(self):
        return await authentication.by_session(self.scope)

    def signed_in(self, user, proof, command):
        """Raises TooMany, of this person's."""
        self.proof = proof
        node.current().connections.add(self)
        self._is_known(handshake.address(self.scope))
        self.waiting.cancel()
        self.sender = Sender(user, authentication.language(self.scope, user))
        return self.sender

    # --- its life -------------------------------------------------------------------------------

    async def _serve(self, receive):
        loop = asyncio.get_running_loop()
        self.sender, self._pace = None, Pace(node.current().frame_rate)
        why = CloseCode.SIGNED_OUT, "not_signed_in"
        self.waiting = loop.call_later(CONNECT_SECONDS, self.close, *why)
        gone_at = None
        try:
            await node.current().start()
            gone_at = await self._listen(receive)
        finally:
            self.waiting.cancel()
            self.outbox.end()
            if self.sender is not None:
                self.sender.node.connections.drop(self)
                await self.session.over(gone_at or self.sender.last_heard)

    async def _listen(self, receive):
        """Handle what comes until the socket closes; says when the client was last there."""
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                if not self.outbox.closed:
                    close_codes.note_end(message)
                return self._left(message)
            if await self._heard() and self.line.is_over:
                return self._left(message)  # the rest of a flood, of somebody who has gone
            if self.outbox.closed:
                continue
            data = self.read(message)
            if data is None:
                self.close(CloseCode.BROKEN, "bad_frame")
            else:
                await self._take(data)

    async def _take(self, data):
        try:
            await self.session.take(data)
        except Exception:
            logger.exception("a frame of STOMP failed")
            self.session.fail()

    async def _heard(self):
        """Whether it was too fast. What comes before CONNECT is worth nothing yet: each message
        counts as one that is refused."""
        if self.sender is not None:
            return await self.sender.heard()
        seconds = self._pace.wait()
        self._pace.count(REFUSED - 1, REFUSED_SECONDS)
        if seconds:
            await asyncio.sleep(seconds)
        return seconds > 0

    def _left(self, message):
        if self.sender is None:
            return None
        self.session.is_clean |= transport.said_goodbye(message)
        return self.sender.node.hub.now() if self.session.is_clean else self.sender.last_heard

    def beat(self):
        self.outbox.check()

    @property
    def is_busy(self):
        return self.sender.in_flight > 0 or self.outbox.is_busy

    @property
    def name(self):
        return self.sender.user.name

    def rename(self, user):
        for client in (self.sender, *self.session.subscribers.values()):
            client.rename(user)

    def is_in(self, rooms):
        return any(one.is_in(rooms) for one in self.session.subscribers.values())

    def send_away(self, between):
        """It comes back to another process, to the next one here, or for what is true by now."""
        self.close(CloseCode.RESTART, "restart", between)

    def sign_out(self):
        """What this socket was opened with is worth nothing any more."""
        self.session.cut_off(self.sender.node.hub.now())
        self.close(CloseCode.SIGNED_OUT, "not_signed_in")


def shown_token(frame):
    """The token that a CONNECT brings: in `Authorization`, or as the passcode."""
    if "Authorization" in frame.headers:
        return bearer(frame.headers["Authorization"]) or ""
    passcode = frame.headers.get("passcode")
    return passcode.split(";")[0].strip() if passcode else None


def has_own_origin(scope):
    return origins.is_own(scope, also=settings.CORS_ALLOWED_ORIGINS)


def may_open(scope):
    """Pages of other sites may not; who sends no Origin is no page, and its cookies don't count."""
    is_page = any(name == b"origin" for name, _value in scope["headers"])
    return not is_page or has_own_origin(scope)


def accepted_language(scope):
    from accounts.models import User

    return authentication.language(scope, User())
