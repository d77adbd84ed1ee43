"""Why a socket closes (docs/wire.md, docs/stomp.md), and when its client comes back: the reason of
its close frame.

`{"retry_after": 2.417}`, seconds. Each gets a time of its own, so that those who were sent away
together don't come back together.
"""

import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import IntEnum
from typing import Any, Self

from core import metrics
from messaging.live.frames import CloseReason
from messaging.log.event import encode

logger = logging.getLogger(__name__)


class CloseCode(IntEnum):
    """Each with what it means to the client."""

    means: str

    def __new__(cls, code: int, means: str) -> Self:
        made = int.__new__(cls, code)
        made._value_, made.means = code, means
        return made

    DONE = 1000, "The conversation has come to its end."
    GOING_AWAY = 1001, "The server or the page goes away. Come back soon."
    BROKEN = 1002, "What came is not the protocol; by STOMP only."
    NO_CODE = 1005, "No close frame, or one without a code. It is never sent."
    TOO_BIG = 1009, "A frame was too big; the server beneath us says so."
    INTERNAL_ERROR = 1011, "No ping was answered, says uvicorn; the standard means a fault."
    RESTART = 1012, "This process stops. Come back after `retry_after`, and resume."
    SIGNED_OUT = 4001, "The sign-in does not count, or not any more."
    SOMEBODY_ELSE = 4003, "The browser is signed in as another person than the page was made for."
    TOO_SLOW = 4008, "Too much waited to be read. Come back and resume."
    BUSY = 4013, "Too many sockets, or nobody can be looked up. Come back after `retry_after`."
    # Not 1011, which says so as well: uvicorn closes with that who does not answer a ping, and
    # where our application raises it sends no close frame at all; daphne does each the other way
    # round.
    FAULT = 4500, "Something of ours failed. Come back after `retry_after`, and resume."


CLOSES = metrics.labelled(
    "chattalk_closes_total",
    "Sockets that ended, by who ended them: us, or them (the client, its line, or uvicorn for it).",
    "by",
    "code",
)
for code in CloseCode:  # 0 until it comes: Prometheus sees a growth only from a number on
    CLOSES.add("us", str(int(code)), many=0)
KNOWN = {int(code) for code in CloseCode} | {1006}  # that is no close frame, for the standard
Between = tuple[float, float]  # seconds

COME_BACK: dict[CloseCode, Between] = {
    CloseCode.RESTART: (0.5, 5.0),
    CloseCode.BUSY: (1.0, 10.0),
    CloseCode.FAULT: (1.0, 10.0),
}


def close(code: CloseCode, between: Between | None = None) -> dict[str, object]:
    """The ASGI message. Who may come back as they like, or not at all, is told no time; `between`
    is another time than the usual one."""
    CLOSES.add("us", str(int(code)))
    # A plain int: daphne's autobahn takes no other, and ends the connection with 1011.
    message: dict[str, object] = {"type": "websocket.close", "code": int(code)}
    if code in COME_BACK:
        seconds = round(random.uniform(*(between or COME_BACK[code])), 3)
        message["reason"] = encode(CloseReason(seconds)).decode()
    return message


def note_end(disconnect: dict[str, Any]) -> None:
    """Others have ended it. A client may send any code: those that we don't know are one."""
    code = disconnect.get("code", CloseCode.NO_CODE)
    CLOSES.add("them", str(int(code)) if code in KNOWN else metrics.OTHER)


async def after_a_fault(send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """Whatever was raised: written down, and its client hears of it by a frame of ours, whichever
    the server is. Before the handshake it is a refusal: 403."""
    logger.exception("a socket failed")
    with suppress(OSError, RuntimeError):  # it has gone, or was closed already
        await send(close(CloseCode.FAULT))
