"""When to come back after a break: when the site says, else after a random part of a wait that
doubles ("full jitter": M. Brooker, Exponential Backoff and Jitter, AWS Architecture Blog 2015)."""

import json
import random
from typing import NamedTuple

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds; the first doubles with each break, up to the other
LONGEST_NAMED = 60.0  # seconds that the site may ask for
STABLE_AFTER = 10.0  # seconds of connection that make the waits short again
SOON, LATER = (0.5, 5.0), (1.0, 10.0)  # seconds: from, to
WAIT_AFTER = {1001: SOON, 1012: SOON, 4013: LATER, 4500: LATER, 403: LATER}
DOUBLED_MOST = 10  # times; more would only count


class Loss(NamedTuple):
    """How a connection ended."""

    code: int | None = None  # of the close frame, or the status in place of the handshake
    reason: str = ""
    retry_after: float | None = None  # seconds


class Backoff:
    """Knows how often it went wrong lately. `dice` is for tests that want the same waits again."""

    def __init__(self, dice: random.Random | None = None) -> None:
        self._dice = dice or random.Random()
        self._attempt = 0

    def wait(self, loss: Loss, lasted: float = 0.0) -> float:
        """Seconds until the next attempt, after a connection that lasted so many seconds."""
        if lasted > STABLE_AFTER:
            self._attempt = 0
        if loss.code in WAIT_AFTER:
            low, high = WAIT_AFTER[loss.code]
        else:
            low, high = 0.0, min(LONGEST_WAIT, FIRST_WAIT * 2**self._attempt)
        self._attempt = min(self._attempt + 1, DOUBLED_MOST)
        named = loss.retry_after
        if named is not None and 0 <= named <= LONGEST_NAMED:
            return named
        return self._dice.uniform(low, high)


def named(reason: str | None) -> float | None:
    """Seconds by the reason of a close frame, `{"retry_after": 2.4}`; None where it names none."""
    try:
        return float(json.loads(reason or "")["retry_after"])
    except (ValueError, TypeError, KeyError):
        return None
