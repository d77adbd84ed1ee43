"""All the documents of presence, for who checks, copies or brings them back.

Unlike what pages ask for (last_seen.py), each of these fails while MongoDB is down.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from presence import last_seen
from presence.last_seen import Attendance


def batches(size: int) -> Iterator[list[dict[str, Any]]]:
    """Every document as it was stored, in the order of its `_id`, and bounded in memory."""
    last = ""
    while True:
        with last_seen.collection() as kept:
            page = kept.find({"_id": {"$gt": last}})
            found = list(page.sort("_id", 1).limit(size))
        if not found:
            return
        for one in found:  # NX-27017 reads an updated true as 1, which is no true elsewhere
            one["online"] = bool(one["online"])
        yield found
        last = found[-1]["_id"]


def count() -> int:
    with last_seen.collection() as kept:
        return int(kept.count_documents({}))


def named(pairs: Iterable[tuple[int, int]]) -> list[Attendance]:
    """The documents of these (room, user), in one look."""
    with last_seen.collection():
        return list(Attendance.objects(id__in=[f"{room}:{user}" for room, user in pairs]))


def insert(found: list[dict[str, Any]]) -> None:
    """Documents of `batches`, into a collection that has none of them."""
    with last_seen.collection() as kept:
        last_seen.ensure_indexes()
        kept.insert_many(found, ordered=False)


def clear() -> None:
    """All of them, one by one: no server of the common subset needs more for it."""
    with last_seen.collection(seconds=10 * last_seen.WRITE_SECONDS) as kept:
        kept.delete_many({})
