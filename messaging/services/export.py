"""A room's whole log as a file, a page of it in memory at a time."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, NamedTuple

from channels.db import database_sync_to_async

from accounts import audit
from accounts.models import User
from core.postgresql.replica import replica
from messaging import log
from messaging.live import node
from messaging.log.event import Event, encode
from rooms import services as rooms
from rooms.models import Room

PAGE = 500  # events

COLUMNS = ("seq", "at", "kind", "person", "name", "body")
# What a spreadsheet would take for a formula, in the wide forms of East Asia, too.
FORMULA = tuple("=+-@\t\r\n＝＋－＠")


class Shape(NamedTuple):
    content_type: str
    stream: Callable[[int, int], AsyncIterator[str]]


def export_log(room_id: int, by: User, shape: str) -> int:
    """Put on the trail that the room's log is taken out; says up to which line it goes.

    The lines are then `Shape.stream`'s. Raises Room.DoesNotExist, PermissionDenied.
    """
    room = Room.objects.get(pk=room_id)
    rooms.check_may_manage(room, by)
    audit.record(by, room, f"exported the log up to line {room.last_seq} as {shape}")
    return room.last_seq


async def _pages(room_id: int, head: int) -> AsyncIterator[list[Event]]:
    """The log up to the line `head`. Raises Unavailable, which breaks the download off."""
    after = 0
    while after < head:
        asked = {"room": room_id, "after": after, "limit": PAGE}
        rows = await _from_replica(asked) or await node.current().reads.rows(log.AFTER, **asked)
        page = [event for event in map(log.as_event, rows) if event.seq <= head]
        if not page:
            return
        yield page
        after = page[-1].seq


async def _from_replica(asked: dict[str, int]) -> Sequence[tuple[Any, ...]] | None:
    """None where the primary is to be asked."""
    if not replica.is_given:
        return None
    return await database_sync_to_async(log.old.after, thread_sensitive=False)(log.AFTER, asked)


async def _json(room_id: int, head: int) -> AsyncIterator[str]:
    """`{"room": 7, "head": 42, "events": [ … ]}`, the events as on the wire."""
    yield f'{{"room":{room_id},"head":{head},"events":['
    before = "\n"
    async for page in _pages(room_id, head):
        yield before + ",\n".join(encode(event).decode() for event in page)
        before = ",\n"
    yield "\n]}\n"


async def _csv(room_id: int, head: int) -> AsyncIterator[str]:
    yield "\ufeff" + _lines([COLUMNS])  # without the mark Excel would not read it as UTF-8
    async for page in _pages(room_id, head):
        yield _lines([_row(event) for event in page])


def _row(event: Event) -> tuple[object, ...]:
    at = event.at.isoformat()
    name, body = harmless(event.sender.name), harmless(event.body)
    return event.seq, at, event.kind, event.sender.id, name, body


def harmless(text: str) -> str:
    """No formula when it is opened in a spreadsheet."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _lines(rows: list[tuple[object, ...]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows(rows)
    return buffer.getvalue()


SHAPES = {
    "json": Shape("application/json", _json),
    "csv": Shape("text/csv; charset=utf-8", _csv),
}
