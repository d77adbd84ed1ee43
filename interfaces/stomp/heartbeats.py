"""Heart-beats: ours, so that a client knows that we live; and its own, without which it is cut."""

import asyncio
from collections.abc import Callable

from interfaces.stomp.commands import Sender
from interfaces.stomp.frames import HEARTBEAT

OURS_MS = 1_000  # the least between two of ours
THEIRS_MS = 5_000  # what we would like of a client
SILENT_SECONDS = 60.0  # more than two beats of a client may last: a hidden page's timers sleep


def offer() -> str:
    """Our side of the `heart-beat` header."""
    return f"{OURS_MS},{THEIRS_MS}"


def keep(
    sender: Sender, can_ms: int, wants_ms: int, send: Callable[[str], None], cut: Callable[[], None]
) -> None:
    """From now on, as long as the connection: by the rule of the greater of both sides."""
    if wants_ms:
        sender.start(_beat(max(wants_ms, OURS_MS) / 1000, send))
    if can_ms:
        sender.start(_listen(sender, 2 * max(can_ms, THEIRS_MS) / 1000 + SILENT_SECONDS, cut))


async def _beat(seconds: float, send: Callable[[str], None]) -> None:
    while True:
        await asyncio.sleep(seconds)
        send(HEARTBEAT)


async def _listen(sender: Sender, seconds: float, cut: Callable[[], None]) -> None:
    left = seconds
    while left > 0:
        await asyncio.sleep(left)
        silent = sender.node.hub.now() - sender.last_heard
        left = seconds - silent.total_seconds()
    cut()
