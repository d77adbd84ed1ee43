"""The MongoDB client: who was last here, and when they went.

One document per room and person, named by their numbers. Every change is one atomic update, and
may come late, twice or out of order: a document takes `online` only from a version of the room
that is not older than its own, and `exit_at` and `seq` only move forward. That holds only on a
server that self_check.py finds fit. Everything here blocks for a bounded time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import mongoengine
import pymongo
from django.conf import settings
from mongoengine.connection import ConnectionFailure
from pymongo.errors import PyMongoError

from core.breaker import Breaker
from presence import marks as documents
from presence.marks import Mark, StrangeAnswer

ALIAS = COLLECTION = "presence"
READ_SECONDS = 1.5  # for one read by a page
WRITE_SECONDS = 3.0  # for one batch
SHY_SECONDS = 6.0  # after a failure, of all pages one waits for MongoDB
FORGET_SECONDS = 24 * 3600  # a process that was last seen so long ago

FAILURES = (PyMongoError, ConnectionFailure)
AWAY = (pymongo.errors.ConnectionFailure, ConnectionFailure)
FULL = ("disk is full", "No space left", "OutOfDiskSpace")  # by SQLite, Linux and MongoDB


def reason(error: object) -> str:
    """Why it stores nothing, in a word or two; nothing if it is not known. What servers say has
    the documents in it."""
    return "disk full" if any(mark in str(error) for mark in FULL) else ""


class Unfit(PyMongoError):
    """No server for presence. `str` is the sentence for who runs the site, `why` a word or two for
    everybody."""

    def __init__(self, why: str, sentence: str) -> None:
        super().__init__(sentence)
        self.why = why


def is_away(error: Exception) -> bool:
    """Whether it stores nothing at all for now, whatever it is given."""
    is_late = isinstance(error, PyMongoError) and error.timeout
    return is_late or isinstance(error, (*AWAY, Unfit)) or bool(reason(error))


class Attendance(mongoengine.Document):
    """`exit_at`, `came_at`: µs since 1970 in UTC, as a BSON date would cut them to milliseconds."""

    id = mongoengine.StringField(primary_key=True)  # "room:user"
    room = mongoengine.IntField(required=True)
    user = mongoengine.IntField(required=True)
    online = mongoengine.BooleanField(required=True)
    version = mongoengine.IntField(required=True)  # of the room, in Redis, that says so
    process = mongoengine.StringField()  # which one marked them online last
    came_at = mongoengine.IntField()
    exit_at = mongoengine.IntField()
    seq = mongoengine.IntField()  # the last one delivered

    meta = {
        "collection": COLLECTION,
        "db_alias": ALIAS,
        "auto_create_index": False,
        "index_cls": False,
        "indexes": [
            {"fields": ["room", "user"], "unique": True, "cls": False},
            {"fields": ["online", "process"], "cls": False},
        ],
    }


class ProcessHeartbeat(mongoengine.Document):
    """A server process and its last heartbeat, for the day on which Redis has lost all."""

    id = mongoengine.StringField(primary_key=True)
    seen_at = mongoengine.IntField(required=True)

    meta = {"collection": "presence_process", "db_alias": ALIAS, "auto_create_index": False}


@dataclass(frozen=True)
class Orphan:
    """Marked online by a process that is not alive."""

    room: int
    user: int
    version: int
    exit_at: int  # the last that is known of them: when they came, or the process's heartbeat


_lock = threading.Lock()
_connected = _indexed = False
# What pages know of MongoDB. The write-behind tells that it is down, and asks more often.
_pages = Breaker(seconds=SHY_SECONDS)


def connect() -> None:
    """Make the client, without a word to the server yet."""
    global _connected
    with _lock:
        if not _connected:
            mongoengine.connect(
                db="chattalk",  # unless the address names another
                host=settings.MONGODB_URL,
                alias=ALIAS,
                uuidRepresentation="standard",
                serverSelectionTimeoutMS=1_500,
                connectTimeoutMS=1_500,
                socketTimeoutMS=3_000,
                maxPoolSize=8,
                journal=True,  # what is answered survives the death of the server
            )
            _connected = True


def disconnect() -> None:
    global _connected, _indexed
    with _lock:
        mongoengine.disconnect(ALIAS)
        _connected, _indexed = False, False
        _pages.forget()


@contextmanager
def collection(name: str = COLLECTION, seconds: float | None = None) -> Iterator[Any]:
    """One of ours, for so long; else for WRITE_SECONDS. Raises FAILURES and nothing else: pymongo
    trusts that each answer has what MongoDB's has, and who calls could not go on."""
    connect()
    try:
        with pymongo.timeout(seconds or WRITE_SECONDS):
            yield Attendance._get_db()[name]
    except FAILURES:
        raise
    except Exception as error:
        raise StrangeAnswer(f"{type(error).__name__}: {error}") from error


def find(room_id: int, user_ids: Iterable[int]) -> list[Attendance]:
    """Nothing while MongoDB is down."""
    # Uses index: room_1_user_1
    return _found(room=room_id, user__in=list(user_ids))


def find_pairs(pairs: Iterable[tuple[int, int]]) -> list[Attendance]:
    """The documents of these (room, user), in one look. Nothing, and no failure, while MongoDB is
    down."""
    return _found(id__in=[f"{room_id}:{user_id}" for room_id, user_id in pairs])


def _found(**asked: Any) -> list[Attendance]:
    if not _pages.may_try():
        return []
    try:
        with collection(seconds=READ_SECONDS):
            found = list(Attendance.objects(**asked))
    except FAILURES as error:
        _pages.failed(error)
        return []
    _pages.answered()
    return found


def write(marks: list[Mark], process: str = "", seen_at: int = 0) -> None:
    """Store them all or raise; storing again what was stored already changes nothing."""
    try:
        with collection():
            _write(marks, process, seen_at)
    except FAILURES as error:
        if is_away(error):
            _pages.failed(error)
        raise
    _pages.answered()


def _write(marks: list[Mark], process: str, seen_at: int) -> None:
    ensure_indexes()
    if seen_at:
        change = {"$max": {"seen_at": seen_at}}
        ProcessHeartbeat._get_collection().update_one({"_id": process}, change, upsert=True)
    documents.store(Attendance._get_collection(), marks)


def orphans(live: list[str], before: int, limit: int) -> list[Orphan]:
    """Online by a process that is neither alive in Redis nor was seen here since `before`."""
    with collection():
        # Uses index: online_1_process_1
        found = list(Attendance.objects(online=True, process__nin=live).limit(limit))
        names = {one.process for one in found}
        seen = {one.id: one.seen_at for one in ProcessHeartbeat.objects(id__in=list(names))}
        ProcessHeartbeat.objects(seen_at__lt=before - FORGET_SECONDS * 1_000_000).delete()
    last = [(one, max(seen.get(one.process, 0), one.came_at or 0)) for one in found]
    return [Orphan(one.room, one.user, one.version, at) for one, at in last if at < before]


def remove(room_id: int, user_id: int) -> None:
    with collection(seconds=READ_SECONDS):
        Attendance.objects(id=f"{room_id}:{user_id}").delete()


def ensure_indexes() -> None:
    global _indexed
    if not _indexed:
        Attendance.ensure_indexes()
        _indexed = True
