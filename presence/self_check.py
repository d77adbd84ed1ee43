"""Whether a server of MongoDB's wire keeps presence right, tried on documents of its own.

All that presence stores is right only where an update of one document is atomic, and where a
duplicate is told as MongoDB tells it. Some servers speak the wire, say "modified" to each call, and
lose most updates that come together. Nothing tells them apart but trying it.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

from presence import last_seen
from presence.last_seen import FAILURES, Unfit
from presence.marks import DUPLICATE

NAME = "presence_check"  # the documents of a check are named by it alone, and removed after it
THREADS, TRIES_EACH = 6, 8
PLACES = THREADS * TRIES_EACH // 2  # as many tries find none
NOT_ATOMIC, NO_DUPLICATES = "updates are not atomic", "duplicates are not told"


def check() -> None:
    """Raises one of FAILURES: Unfit, if it is not. Takes milliseconds."""
    name = uuid4().hex
    try:
        _expect_places_kept(name)
        _expect_duplicates_told(name)
    finally:
        with last_seen.collection(NAME) as scratch:
            scratch.delete_many({"_id": {"$in": [name, f"{name}:other"]}})


def _expect_places_kept(name: str) -> None:
    """Many take the places of one document at once. Each that is told so must have one."""
    with last_seen.collection(NAME) as scratch:
        scratch.insert_one({"_id": name, "taken": 0})
    together = Barrier(THREADS)

    def take(_number: int) -> int:
        free = {"_id": name, "taken": {"$lt": PLACES}}
        together.wait(last_seen.WRITE_SECONDS)
        with last_seen.collection(NAME) as scratch:
            tries = range(TRIES_EACH)
            return sum(
                scratch.update_one(free, {"$inc": {"taken": 1}}).modified_count for _ in tries
            )

    with ThreadPoolExecutor(THREADS, thread_name_prefix="presence-check") as threads:
        told = sum(threads.map(take, range(THREADS)))
    with last_seen.collection(NAME) as scratch:
        taken = scratch.find_one({"_id": name})["taken"]
    if not told == taken == PLACES:
        raise _unfit(
            NOT_ATOMIC,
            f"does not update a document atomically: of {PLACES} places it gave away {told} to "
            f"{THREADS} threads, and kept {taken}",
        )


def _expect_duplicates_told(name: str) -> None:
    """By an upsert whose guard refuses what is there, and by one of two documents of a bulk."""
    there, other = {"_id": name}, {"_id": f"{name}:other"}
    with last_seen.collection(NAME) as scratch:
        try:
            scratch.update_one({**there, "taken": -1}, {"$set": {"taken": 0}}, upsert=True)
        except FAILURES as error:
            if getattr(error, "code", None) != DUPLICATE:
                raise _untold(f"an upsert is answered with {error!r}") from error
        else:
            raise _untold("an upsert made a second document, or changed what its guard refused")
        try:
            scratch.insert_many([there, other], ordered=False)
        except FAILURES as error:
            errors = (getattr(error, "details", None) or {}).get("writeErrors", [])
            if [(one["index"], one["code"]) for one in errors] != [(0, DUPLICATE)]:
                raise _untold(f"a bulk is answered with {error!r}") from error
        else:
            raise _untold("a bulk stored one twice")
        if not scratch.find_one(other):
            raise _untold("a bulk with one of them does not store the others")


def _untold(what: str) -> Unfit:
    return _unfit(NO_DUPLICATES, f"does not tell duplicates as MongoDB does ({what})")


def _unfit(why: str, what: str) -> Unfit:
    with last_seen.collection() as kept:
        server = server_name(kept.database.client.server_info())
    return Unfit(
        why,
        f"{server} {what}. Who is here and since when would be wrong there: give MONGODB_URL a "
        "server that docs/deploying.md names, or unset it to use the one that comes with ChatTalk.",
    )


def server_name(info: Mapping[str, Any]) -> str:
    """The server with its version, as it tells them."""
    version = info.get("version")
    if ferretdb := info.get("ferretdbVersion"):
        return f"FerretDB {ferretdb}"
    return f"The MongoDB server (version {version or 'not told'})"
