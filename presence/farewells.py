"""What a process could not store before it ended, in one piece, for whoever lives.

Ten thousand people who go at once are ten thousand marks, which take MongoDB seconds, and a process
that stops has none. One document with all of them takes a moment; another process then stores what
it says, mark by mark. A mark may come late and twice, so it may begin again at any time.
"""

import json
from dataclasses import astuple

from presence import last_seen
from presence.marks import Mark

NAME = "presence_farewell"
BATCH_MAX = 5_000  # marks in one document, well under a megabyte


def leave(process: str, marks: list[Mark]) -> None:
    with last_seen.collection(NAME) as left:
        for start in range(0, len(marks), BATCH_MAX):
            said = json.dumps([astuple(mark) for mark in marks[start : start + BATCH_MAX]])
            name = f"{process}:{start}"
            left.replace_one({"_id": name}, {"_id": name, "marks": said}, upsert=True)


def one() -> tuple[str, list[Mark]] | None:
    """One of them: its name and its marks; None if none is left."""
    with last_seen.collection(NAME) as left:
        found = left.find_one()
    return found and (found["_id"], [Mark(*one) for one in json.loads(found["marks"])])


def forget(name: str) -> None:
    with last_seen.collection(NAME) as left:
        left.delete_one({"_id": name})
