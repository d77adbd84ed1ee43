"""All that leaves for the sockets because of a change on Django's connection, after its commit.

May be called from any thread. In a server process the node's hub takes over; elsewhere (a command,
a shell) the channel layer is told directly, so that the servers need not wait for their next look
at the heads.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

from accounts.models import User
from messaging import log
from messaging.live import about, broker, growth, node, personal, renames
from messaging.live.entries import by_room
from messaging.live.personal import News
from messaging.log.event import Event, Person
from messaging.log.kinds import KINDS, Kind

Told = Iterable[tuple[int, dict[str, Any]]]  # a room, or broker.PEOPLE, and what it is told

logger = logging.getLogger(__name__)


def append(room_id: int, kind: Kind, sender_ids: Iterable[int], body: str = "") -> None:
    """Write a line for each sender at the end of the log, inside a transaction, and tell of them
    once it is committed: nobody can do the one without the other."""
    _tell_on_commit(log.append(room_id, kind, sender_ids, body))


def _tell_on_commit(events: list[Event]) -> None:
    """New lines of the log, and what follows from them: who has a seat, and what the room is."""
    if events:
        _on_commit(
            lambda here: here.hub.stored(events),
            lambda: [
                *broker.lines_told(by_room(events)),
                (broker.PEOPLE, growth.message({event.room for event in events})),
            ],
        )
        seats = [(each, KINDS[each.kind].seats > 0) for each in events if KINDS[each.kind].seats]
        _mine_on_commit([News("seat", it.sender.id, it.room, taken) for it, taken in seats])
        for room_id in {each.room for each in events if KINDS[each.kind].changes_room}:
            about_on_commit(room_id)


def about_on_commit(room_id: int) -> None:
    """The room is not what it was: its title, its owner, whether it is open …"""
    _on_commit(lambda here: here.abouts.change(room_id), lambda: [(room_id, about.MESSAGE)])


def person_saved(
    instance: User, created: bool, update_fields: Iterable[str] | None = None, **_signal: Any
) -> None:
    """A receiver, as that of accounts/tokens.py is one: people are saved in many ways, and may be
    called otherwise from here on."""
    if not created and (update_fields is None or "display_name" in update_fields):
        user = Person(instance.pk, instance.display_name)
        _on_commit(
            lambda here: here.names.change(user),
            lambda: [(broker.PEOPLE, renames.message(user))],
        )


def read_on_commit(user_id: int, room_id: int, seq: int) -> None:
    """Someone has read up to there."""
    _mine_on_commit([News("read", user_id, room_id, seq)])


def _mine_on_commit(news: list[News]) -> None:
    if news:
        _on_commit(
            lambda here: here.mine.put(news),
            lambda: ((broker.PEOPLE, told) for told in personal.messages(news)),
        )


def _on_commit(serve: Callable[[node.Node], None], told: Callable[[], Told]) -> None:
    """The only way a change made on Django's connection reaches the sockets."""
    transaction.on_commit(lambda: _leave(serve, told), robust=True)


def _leave(serve: Callable[[node.Node], None], told: Callable[[], Told]) -> None:
    running = node.running()
    if running is not None:
        running.loop.call_soon_threadsafe(serve, running)
    else:
        async_to_sync(_tell)(told())


async def _tell(told: Told) -> None:
    channel_layer = get_channel_layer()
    try:
        async with asyncio.timeout(broker.TELL_SECONDS):
            await channel_layer.publish_many(
                [
                    (broker.group(room_id), broker.packed(room_id, "outside", content))
                    for room_id, content in told
                ]
            )
    except broker.FAILURES as error:
        logger.warning("not told at once: %s", error or type(error).__name__)
    finally:
        await channel_layer.flush()
