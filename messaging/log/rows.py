"""A statement on Django's connection, and what a row of the log is."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from messaging.log.event import Event, Person

CLOCK = "SELECT clock_timestamp()"


def as_event(row: Sequence[Any]) -> Event:
    room, seq, kind, at, sender, name, cid, body = row
    return Event(room, seq, kind, at, Person(sender, name), cid, body)


def rows(sql: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
