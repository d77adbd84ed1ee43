"""Ending tasks for sure."""

import asyncio
from typing import Any

ASK_AGAIN_SECONDS = 0.1


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel, until they have ended: a client that is just disconnecting can swallow a cancel."""
    pending = [task for task in tasks if not task.done()]
    while pending:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=ASK_AGAIN_SECONDS)
        pending = [task for task in pending if not task.done()]
