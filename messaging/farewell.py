"""Why a socket closes, and when its client comes back: the reason of its close frame.

`{"retry_after": 2.417}`, seconds. Each gets a time of its own, so that those who were sent away
together don't come back together.
"""

import json
import random

RESTART, BUSY = 1012, 4013
COME_BACK = {RESTART: (0.5, 5.0), BUSY: (1.0, 10.0)}  # seconds


def close(code: int) -> dict[str, object]:
    """The ASGI message. Who may come back as they like, or not at all, is told no time."""
    message: dict[str, object] = {"type": "websocket.close", "code": code}
    if code in COME_BACK:
        seconds = round(random.uniform(*COME_BACK[code]), 3)
        message["reason"] = json.dumps({"retry_after": seconds})
    return message
