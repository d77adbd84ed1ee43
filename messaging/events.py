"""All that leaves for the sockets because of a change on Django's connection, after its commit.

May be called from any thread. In a server process the node's hub takes over; elsewhere (a command,
a shell) the channel layer is told directly, so that the servers need not wait for their next look
at the heads.
"""

import asyncio
import logging

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

from messaging import layer, node
from messaging.feed import by_room, told_of
from messaging.wire import Event

log = logging.getLogger(__name__)


def announce_on_commit(events: list[Event]) -> None:
    """The only way a change made on Django's connection reaches the sockets."""
    if events:
        transaction.on_commit(lambda: _announce(events), robust=True)


def _announce(events: list[Event]) -> None:
    running = node.running()
    if running is not None:
        running.loop.call_soon_threadsafe(running.hub.stored, events)
    else:
        async_to_sync(_tell)(events)


async def _tell(events: list[Event]) -> None:
    told = get_channel_layer()
    try:
        async with asyncio.timeout(layer.TELL_SECONDS):
            await told.group_send_many(
                (layer.group(room_id), layer.message(room_id, "outside", told_of(lines)))
                for room_id, lines in by_room(events).items()
            )
    except layer.FAILURES as error:
        log.warning("not told at once: %s", error or type(error).__name__)
    finally:
        await told.flush()
