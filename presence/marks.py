"""What the documents of presence are to become, and how many of them are stored at once.

Most documents are there, and one bulk updates them. It has no upserts: a newer version may be
there, and a refused upsert in a bulk is answered in as many ways as there are servers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pymongo
from pymongo.errors import BulkWriteError, PyMongoError

DUPLICATE = 11000
ROUNDS_MAX = 3  # for a document that another process changes at the same moment


class StrangeAnswer(PyMongoError):
    """The client or the server stumbled over what the other one said."""


@dataclass(frozen=True)
class Mark:
    """What a document is to become."""

    room: int
    user: int
    version: int
    online: bool = False
    removed: bool = False
    process: str = ""
    came_at: int = 0
    exit_at: int = 0
    seq: int = 0

    @property
    def name(self) -> str:
        return f"{self.room}:{self.user}"

    def after(self, earlier: Mark) -> Mark:
        """Both in one: the newer, with the furthest exit of the two."""
        newer = self if self.version >= earlier.version else earlier
        exit_at, seq = max(self.exit_at, earlier.exit_at), max(self.seq, earlier.seq)
        return replace(newer, exit_at=exit_at, seq=seq)


def store(kept: Any, marks: list[Mark]) -> None:
    """Store them all or raise; storing again what was stored already changes nothing."""
    # Who left and is here anew has two marks, and begins with an empty document.
    if removals := [mark for mark in marks if mark.removed]:
        kept.bulk_write([pymongo.DeleteOne(_older(mark)) for mark in removals], ordered=False)
    left = [mark for mark in marks if not mark.removed]
    for _ in range(ROUNDS_MAX):
        if not left:
            return
        left = _store(kept, left)
    if left:
        raise StrangeAnswer(f"{len(left)} documents are neither there nor can be made")


def _store(kept: Any, marks: list[Mark]) -> list[Mark]:
    """Answers those that another process was at, too, to be stored again."""
    if kept.bulk_write([_update(mark) for mark in marks], ordered=False).matched_count == len(
        marks
    ):
        return []
    # Uses index: _id_
    found = kept.find({"_id": {"$in": [mark.name for mark in marks]}}, {"version": 1})
    versions = {one["_id"]: one.get("version", -1) for one in found}
    # Where a newer version is, only the exit may still move.
    late = [one for one in marks if one.exit_at and versions.get(one.name, -1) > one.version]
    if late:
        exits = [pymongo.UpdateOne({"_id": one.name}, _exit(one)) for one in late]
        kept.bulk_write(exits, ordered=False)
    again = [one for one in marks if versions.get(one.name, one.version) < one.version]
    return again + _insert(kept, [one for one in marks if one.name not in versions])


def _insert(kept: Any, marks: list[Mark]) -> list[Mark]:
    """Answers those that somebody else inserted at the same moment."""
    if not marks:
        return []
    try:
        kept.insert_many([_document(mark) for mark in marks], ordered=False)
    except BulkWriteError as error:
        errors = error.details["writeErrors"]
        if any(one["code"] != DUPLICATE for one in errors) or error.details["writeConcernErrors"]:
            raise
        return [marks[one["index"]] for one in errors]
    return []


def _older(mark: Mark) -> dict[str, Any]:
    return {"_id": mark.name, "version": {"$lte": mark.version}}


def _update(mark: Mark) -> Any:
    return pymongo.UpdateOne(_older(mark), {"$set": _fields(mark), **_exit(mark)})


def _document(mark: Mark) -> dict[str, Any]:
    return {"_id": mark.name, **_fields(mark), **_exit(mark).get("$max", {})}


def _fields(mark: Mark) -> dict[str, Any]:
    fields: dict[str, Any] = {"room": mark.room, "user": mark.user, "online": mark.online}
    fields["version"] = mark.version
    if mark.online:
        fields["process"] = mark.process
    if mark.came_at:
        fields["came_at"] = mark.came_at
    return fields


def _exit(mark: Mark) -> dict[str, Any]:
    return {"$max": {"exit_at": mark.exit_at, "seq": mark.seq}} if mark.exit_at else {}
