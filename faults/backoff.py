"""When a client comes back, as our own pages do it (clients/js/lib/backoff.js): when it was told
to, or after a random part of a wait that doubles ("full jitter": M. Brooker, Exponential Backoff
and Jitter, AWS Architecture Blog 2015)."""

import json
import random

from messaging.live.close_codes import CloseCode

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds
WAIT_AFTER: dict[int, tuple[float, float]] = {
    CloseCode.GOING_AWAY: (0.5, 5.0),
    CloseCode.RESTART: (0.5, 5.0),
    CloseCode.BUSY: (1.0, 10.0),
    CloseCode.FAULT: (1.0, 10.0),
}
LONGEST_NAMED = 60.0  # seconds that the server may ask for
STABLE_AFTER = 10.0  # seconds of connection that make the waits short again


def wait(dice: random.Random, attempt: int, code: int | None, reason: str = "") -> float:
    """Seconds, after so many attempts in vain and a connection that was closed like this."""
    if (named := _named(reason)) is not None:
        return named
    low, high = 0.0, min(LONGEST_WAIT, FIRST_WAIT * 2**attempt)
    if code in WAIT_AFTER:
        low, high = WAIT_AFTER[code]
    return low + dice.random() * (high - low)


def _named(reason: str) -> float | None:
    try:
        seconds = float(json.loads(reason)["retry_after"])
    except (ValueError, TypeError, KeyError):
        return None  # it says something else, or nothing
    return seconds if 0 <= seconds <= LONGEST_NAMED else None
