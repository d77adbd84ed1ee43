"""What a client is told: frames, receipts, and refusals in the place where it can hear them.

What breaks the protocol ends the connection with an ERROR, as STOMP has it. What is understood but
refused should not cost it: who subscribes to /user/queue/errors is told there; only for others it
is an ERROR, too (docs/stomp.md).
"""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import uuid4

from accounts.models import User
from core.problems import REFUSALS
from interfaces.stomp.commands import Sender
from interfaces.stomp.destinations import Topic
from interfaces.stomp.frames import Frame, encode
from messaging.live.close_codes import CloseCode

# Frames of late: who hears a line with others has mostly subscribed in the same words as they.
KEPT = 16
_OF_NACK = {
    "receipt-id": "ref",
    "client-id": "cid",
    "room": "room",
    "retry-after": "retry_after",
}


class Transport(NamedTuple):
    """How a session reaches its connection."""

    send: Callable[[str], None]  # a frame's text
    close: Callable[[CloseCode, str], None]  # after what was sent; the code, and why
    signed_in: Callable[[User, Any, str], Sender]  # makes the one who acts; raises TooMany
    identify: Callable[[Frame], Awaitable[tuple[User, Any]]]  # raises PermissionError, Unavailable


class Replies:
    def __init__(
        self, send: Callable[[str], None], close: Callable[[CloseCode, str], None]
    ) -> None:
        self._send, self._close = send, close
        self.version = "1.2"
        self.errors: str | None = None  # the id of the subscription to /user/queue/errors
        self.is_over = False

    def say(self, command: str, headers: dict[str, str], body: str = "") -> None:
        self._send(encode(command, headers, body, self.version))

    def message(
        self, subscription: str, destination: str, headers: dict[str, str], body: str
    ) -> None:
        first = {"subscription": subscription, "destination": destination}
        named = first | headers | {"content-type": "application/json"}
        self._send(_encoded("MESSAGE", tuple(named.items()), body, self.version))

    def receipt(self, receipt: str | None, **headers: Any) -> None:
        if receipt:
            named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
            self.say("RECEIPT", {"receipt-id": receipt} | named)

    def fail(
        self,
        code: str,
        why: str,
        receipt: str | None = None,
        close: CloseCode = CloseCode.BROKEN,
        **more: str,
    ) -> None:
        """What breaks the protocol: ERROR, and the end."""
        REFUSALS.add("error", code)
        self._fail(code, why, receipt, close, **more)

    def _fail(
        self, code: str, why: str, receipt: str | None, close: CloseCode, **more: str
    ) -> None:
        headers = {"message": why, "code": code, "content-type": "text/plain"} | more
        self.say("ERROR", headers | ({"receipt-id": receipt} if receipt else {}), why)
        self.end(close, code)

    def end(self, close: CloseCode, why: str) -> None:
        self.is_over = True
        self._close(close, why)

    def refuse(self, nack: dict[str, Any], destination: str = "") -> None:
        """An operation was understood and is not done."""
        if self.errors is not None:
            self.tell_error(nack)
        else:
            self._refuse_unheard(nack, destination)

    def _refuse_unheard(self, nack: dict[str, Any], destination: str) -> None:
        """The client does not listen to /user/queue/errors."""
        self._fail(nack["code"], nack["detail"], nack.get("ref"), CloseCode.DONE)

    def tell_error(self, nack: dict[str, Any]) -> None:
        headers = {
            "subscription": str(self.errors),
            "destination": Topic.ERRORS,
            "message-id": uuid4().hex,
            "code": nack["code"],
            "content-type": "text/plain",
        }
        headers |= {name: str(nack[key]) for name, key in _OF_NACK.items() if nack.get(key)}
        self.say("MESSAGE", headers, nack["detail"])


@lru_cache(KEPT)
def _encoded(command: str, headers: tuple[tuple[str, str], ...], body: str, version: str) -> str:
    return encode(command, dict(headers), body, version)
