"""A backup into an empty system: all of it, checked, or nothing."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import datetime
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import connection, transaction

from chattalk.maintenance import archive, contents, copy_sql, verify_sql
from chattalk.maintenance.archive import Archive, ArchivePart, Manifest
from chattalk.maintenance.copy_sql import Table
from chattalk.maintenance.progress import Advance, progress
from presence import stored
from presence.room_state import micros

MUST_BE_EMPTY = ("accounts_user", "rooms_room", "rooms_membership", "messaging_event")
DOCUMENTS_AT_ONCE = 500


def bring_back(path: Path, stream: Any) -> tuple[Manifest, str]:
    """What was restored, and the secret key if the file has it.

    Raises CommandError, and then nothing was changed.
    """
    with archive.opened(path) as backup:
        tables = contents.tables()
        _check_fits(backup, tables)
        _check_empty(tables)  # before a large file is read; and again when nobody else can write
        with progress(stream, "checking the file", backup.size) as advance:
            backup.check(advance)
        _check_presence_empty()
        with ExitStack() as undo:
            with transaction.atomic(durable=True):
                copy_sql.take_over(tables)
                _check_empty(tables)
                _fill(backup, tables, stream)
                undo.callback(stored.clear)
                _fill_presence(backup, stream)
            undo.pop_all()  # all is committed
        key = b"".join(backup.pieces(archive.SECRET_KEY)) if archive.SECRET_KEY in backup else b""
        return backup.manifest, key.decode()


def _check_fits(backup: Archive, tables: list[Table]) -> None:
    ours, theirs = set(contents.migrations()), set(backup.manifest.migrations)
    if unknown := sorted(theirs - ours):
        raise CommandError(
            f"{backup.path} was made by a newer ChatTalk (with {unknown[0]}): "
            "restore it with that one. Nothing was changed."
        )
    if later := sorted(ours - theirs):
        raise CommandError(
            f"{backup.path} was made by an older ChatTalk (without {later[0]}): restore it with "
            "that one, then upgrade. Nothing was changed."
        )
    columns = {one.name: list(one.columns) for one in tables}
    needed = {archive.name_of(one.name) for one in tables} | {archive.ROOMS, archive.PRESENCE}
    if backup.manifest.tables != columns or not needed <= set(backup.manifest.members):
        raise archive.foreign(backup.path)


def _check_presence_empty() -> None:
    if many := stored.count():
        raise CommandError(
            f"MongoDB has {many:,} presence documents already: restore into an empty system, as "
            "with CHATTALK_DATA=<a new folder>, or name another database in MONGODB_URL. "
            "Nothing was changed."
        )


def _check_empty(tables: list[Table]) -> None:
    for one in tables:
        if one.name in MUST_BE_EMPTY and (many := copy_sql.count(one)):
            raise CommandError(
                f"The database has rows already ({one.name}: {many:,}): restore into an empty "
                "system, as with CHATTALK_DATA=<a new folder>, or name another database in "
                "DATABASE_URL. Nothing was changed."
            )


def _fill(backup: Archive, tables: list[Table], stream: Any) -> None:
    """What is left in the other tables is of migrations, or of visitors without an account."""
    members = backup.manifest.members
    total = sum(members[archive.name_of(one.name)].lines for one in tables)
    for one in reversed(tables):
        copy_sql.empty(one)
    with progress(stream, "rows", total) as advance:
        for one in tables:
            copy_sql.into(one, _told(backup.pieces(archive.name_of(one.name)), advance))
    copy_sql.go_on_counting(contents.models())
    with progress(stream, "comparing", total) as advance:
        _compare(backup, tables, advance)
    connection.check_constraints()


def _told(pieces: Iterable[bytes], advance: Advance) -> Iterator[bytes]:
    for piece in pieces:
        yield piece
        advance(piece.count(b"\n"))


def _compare(backup: Archive, tables: list[Table], advance: Advance) -> None:
    """The database gives back what the file has, byte for byte, and of each room the same log."""
    logs = contents.Logs()
    for one in tables:
        if _digest(logs.out(one), advance) != backup.manifest.members[archive.name_of(one.name)]:
            raise CommandError(
                f"The database did not take {one.name} as it was. Nothing was changed."
            )
    states = (state.written(room) for room, state in logs.states().items())
    for then, now in zip_longest(backup.lines(archive.ROOMS), states):
        if then != now:
            raise CommandError(f"Room {then!r} is {now!r} now. Nothing was changed.")


def _digest(rows: Iterable[bytes], advance: Advance) -> ArchivePart:
    sha256, size, lines = hashlib.sha256(), 0, 0
    for row in rows:
        sha256.update(row)
        size += len(row)
        lines += 1
        advance(1)
    return ArchivePart(lines, size, sha256.hexdigest())


def _fill_presence(backup: Archive, stream: Any) -> None:
    """Nobody is here any more: who was, went when the backup was made. Who had no seat then has
    no document."""
    gone_at = micros(datetime.fromisoformat(backup.manifest.taken_at))
    lines, total = backup.lines(archive.PRESENCE), backup.manifest.members[archive.PRESENCE].lines
    with progress(stream, "presence", total) as advance:
        while batch := [archive.document(line) for line in islice(lines, DOCUMENTS_AT_ONCE)]:
            seated = verify_sql.present([(one["room"], one["user"]) for one in batch])
            kept = [one for one in batch if seated[one["room"], one["user"]][1]]
            if kept:
                stored.insert([_gone(one, gone_at) for one in kept])
            advance(len(batch))


def _gone(document: dict[str, Any], at: int) -> dict[str, Any]:
    gone = {name: value for name, value in document.items() if name != "process"}
    if document["online"]:
        gone |= {"online": False, "exit_at": max(document.get("exit_at") or 0, at)}
    return gone
