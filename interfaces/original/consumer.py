"""The sockets of the original's client: STOMP on a plain WebSocket, and in SockJS."""

from functools import lru_cache

from interfaces.original import cookie, sockjs
from interfaces.original.session import PageSession
from interfaces.socket import authentication
from interfaces.stomp.consumer import StompConsumer, has_own_origin
from interfaces.stomp.parsing import bearer
from interfaces.stomp.replies import KEPT
from messaging.live.packets import packet


class OriginalConsumer(StompConsumer):
    """On a plain WebSocket. Who connects is known by a token, in CONNECT or in the cookie."""

    session_class = PageSession
    door = "original"

    def cookie_token(self):
        if not has_own_origin(self.scope):
            return None
        return bearer(authentication.cookie(self.scope, cookie.NAME))

    async def by_session(self):
        raise authentication.NotSignedIn

    def signed_in(self, user, proof, command):
        sender = super().signed_in(user, proof, command)
        self.session.device = proof.device
        return sender

    def is_in(self, rooms):
        """Nowhere, where the log has gone back: its page can take back no line. It is shown those
        that came in their place, and has the room as it is when it is opened anew."""
        return False


class SockJSConsumer(OriginalConsumer):
    """The original's client as it comes."""

    door = "sockjs"

    def greet(self):
        self.reader = sockjs.Reader()
        self.outbox.put(packet(sockjs.OPEN))

    def send(self, text):
        self.outbox.put(_wrapped(text))

    def close(self, code, why, between=None):
        self.outbox.put(packet(sockjs.closing(code, why)))
        self.outbox.close(code, between)

    def read(self, message):
        text = message.get("text")
        return None if text is None else self.reader.read(text)

    def beat(self):
        super().beat()
        self.outbox.put(packet(sockjs.HEARTBEAT))


@lru_cache(KEPT)
def _wrapped(text):
    """Once for all who are told the same."""
    return packet(sockjs.message(text))
