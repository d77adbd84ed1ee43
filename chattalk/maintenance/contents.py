"""What a backup holds: the tables of all models, the state of each room, presence."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.apps import apps
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from chattalk.maintenance import copy_sql
from chattalk.maintenance.copy_sql import Table
from presence import stored
from rooms.models import Room

DOCUMENTS_AT_ONCE = 500


class RoomState(NamedTuple):
    head: int
    personnel: int
    lines: int
    sha256: str  # of the log, in its order

    def written(self, room_id: int) -> bytes:
        return "\t".join(map(str, (room_id, *self))).encode() + b"\n"


class Logs:
    """Rows on their way out; of those of the log, room by room, the hash."""

    def __init__(self) -> None:
        self.found: dict[int, tuple[int, str]] = {}  # room → lines, SHA-256
        self._room, self._lines, self._hash = b"", 0, hashlib.sha256()

    def out(self, one: Table) -> Iterator[bytes]:
        rows = copy_sql.out(one)
        return self._through(rows) if one.name == copy_sql.LOG else rows

    def _through(self, rows: Iterable[bytes]) -> Iterator[bytes]:
        for row in rows:
            room = row[: row.index(b"\t")]
            if room != self._room:
                self._end()
                self._room, self._lines, self._hash = room, 0, hashlib.sha256()
            self._lines += 1
            self._hash.update(row)
            yield row
        self._end()

    def _end(self) -> None:
        if self._lines:
            self.found[int(self._room)] = self._lines, self._hash.hexdigest()

    def states(self) -> dict[int, RoomState]:
        """The state of each room by its number, in their order; in the transaction of the rows."""
        rooms = Room.objects.order_by("pk").values_list("pk", "last_seq", "personnel")
        nothing = (0, hashlib.sha256().hexdigest())
        return {
            room: RoomState(head, personnel, *self.found.get(room, nothing))
            for room, head, personnel in rooms.iterator()
        }


def models() -> list[Any]:
    everyone = apps.get_models(include_auto_created=True)
    return [one for one in everyone if one._meta.managed and not one._meta.proxy]


def tables() -> list[Table]:
    return [copy_sql.table(model) for model in models()]


def migrations() -> list[str]:
    """Those of this version, all of which the database must have. Raises CommandError."""
    executor = MigrationExecutor(connection)
    known = set(executor.loader.graph.nodes)
    if missing := known - set(executor.loader.applied_migrations):
        app, name = min(missing)
        raise CommandError(
            f"The database lacks {app}.{name}: bring it up to date with manage.py migrate."
        )
    return sorted(f"{app}.{name}" for app, name in known)


def presence() -> Iterator[bytes]:
    for batch in stored.batches(DOCUMENTS_AT_ONCE):
        for document in batch:
            yield json.dumps(document).encode() + b"\n"
