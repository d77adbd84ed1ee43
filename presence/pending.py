"""What Redis is still to be told of the people of this process. Without I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class PendingChange:
    what: str  # here, gone or left, as leases.py has it
    name: str = ""
    came_at: int = 0
    exit_at: int = 0
    seq: int = 0
    is_renamed: bool = False  # told to the others also where they know that somebody is here


Batch = dict[int, dict[int, PendingChange]]


class PendingChanges:
    """What Redis is to be told: the latest for each person, kept until it was done."""

    ROOMS_AT_ONCE = 100

    def __init__(self, people_at_once: int):
        self._people_at_once = people_at_once
        self._rooms: Batch = {}
        self._taken: Batch = {}

    def add(self, room_id: int, user_id: int, change: PendingChange) -> None:
        changes = self._rooms.setdefault(room_id, {})
        changes[user_id] = _after(change, changes.get(user_id))

    def take(self) -> Batch:
        self._taken = {}
        for room_id in list(self._rooms)[: self.ROOMS_AT_ONCE]:
            changes = self._rooms[room_id]
            some = list(changes)[: self._people_at_once]
            self._taken[room_id] = {user_id: changes.pop(user_id) for user_id in some}
            if not changes:
                del self._rooms[room_id]
        return self._taken

    def done(self, room_id: int) -> None:
        self._taken.pop(room_id, None)

    def put_back(self) -> None:
        """What was taken and not done, unless somebody wished otherwise meanwhile."""
        for room_id, changes in self._taken.items():
            later = self._rooms.setdefault(room_id, {})
            for user_id, change in changes.items():
                later[user_id] = _after(later[user_id], change) if user_id in later else change
        self._taken = {}

    def open(self, room_id: int, user_id: int) -> bool:
        rooms = (self._rooms.get(room_id, {}), self._taken.get(room_id, {}))
        return any(user_id in changes for changes in rooms)

    def keeps(self, room_id: int) -> bool:
        return any(one.what == "here" for one in self._rooms.get(room_id, {}).values())

    def __bool__(self) -> bool:
        return bool(self._rooms)


def _after(change: PendingChange, earlier: PendingChange | None) -> PendingChange:
    """The exit of a person who went and came back while Redis was down is kept: they were away."""
    if earlier is None or change.what == "left":
        return change
    return replace(
        change, exit_at=max(change.exit_at, earlier.exit_at), seq=max(change.seq, earlier.seq)
    )
