"""Why a socket closes, and when its client comes back: the reason of its close frame.

`{"retry_after": 2.417}`, seconds. Each gets a time of its own, so that those who were sent away
together don't come back together.
"""

import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from messaging.live.frames import CloseReason
from messaging.log.event import encode

logger = logging.getLogger(__name__)

RESTART, BUSY = 1012, 4013
# Something of ours failed. Not 1011, which says so as well: uvicorn closes with that who does not
# answer a ping, and where our application raises it sends no close frame at all; daphne does each
# the other way round.
FAULT = 4500
COME_BACK = {RESTART: (0.5, 5.0), BUSY: (1.0, 10.0), FAULT: (1.0, 10.0)}  # seconds


def close(code: int) -> dict[str, object]:
    """The ASGI message. Who may come back as they like, or not at all, is told no time."""
    message: dict[str, object] = {"type": "websocket.close", "code": code}
    if code in COME_BACK:
        seconds = round(random.uniform(*COME_BACK[code]), 3)
        message["reason"] = encode(CloseReason(seconds)).decode()
    return message


async def after_a_fault(send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """Whatever was raised: written down, and its client hears of it by a frame of ours, whichever
    the server is. Before the handshake it is a refusal: 403."""
    logger.exception("a socket failed")
    with suppress(OSError, RuntimeError):  # it has gone, or was closed already
        await send(close(FAULT))
