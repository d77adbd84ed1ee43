"""The fault harness: what ChatTalk does when what it stands on fails (docs/reliability.md)."""

import asyncio
import time
from collections.abc import Callable

WORD = "die"  # what a message says to make a worker fail that is made to (faults/failpoints.py)


OUR_SETTINGS = {"DJANGO_SETTINGS_MODULE": "faults.settings", "DEBUG": "true"}  # of a worker


def failing(name: str) -> dict[str, str]:
    """The environment of a worker that fails in that way."""
    return OUR_SETTINGS | {"CHATTALK_FAIL": name}


async def until(holds: Callable[[], bool], seconds: float) -> bool:
    """Whether it came to hold within that time."""
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    return holds()
