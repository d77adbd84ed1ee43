"""The connections of this process, and what Redis is still to be told of them. Without I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace


@dataclass
class Seat:
    name: str
    came_at: int
    connections: int = 0
    exit_at: int = 0  # of the connection that went last
    seq: int = 0
    version: int = 0  # of the room when Redis took it; 0: not yet
    away_since: float | None = None


class Seats:
    """Who has a connection here, or had one a moment ago: a reload comes back within the grace."""

    def __init__(self, grace: float):
        self._grace = grace
        self._rooms: dict[int, dict[int, Seat]] = {}
        self._away: deque[tuple[float, int, int]] = deque()

    def arrive(self, room_id: int, user_id: int, name: str, at: int) -> Seat | None:
        """Gives the seat if there is something new about it."""
        seats = self._rooms.setdefault(room_id, {})
        seat = seats.setdefault(user_id, Seat("", at))
        seat.connections, seat.away_since = seat.connections + 1, None
        if seat.name == name:
            return None
        seat.name = name
        return seat

    def depart(self, room_id: int, user_id: int, at: int, seq: int, now: float) -> None:
        seat = self.get(room_id, user_id)
        if seat is None or not seat.connections:
            return
        seat.connections -= 1
        seat.exit_at, seat.seq = max(seat.exit_at, at), max(seat.seq, seq)
        if not seat.connections:
            seat.away_since = now
            self._away.append((now, room_id, user_id))

    def drop(self, room_id: int, user_id: int) -> Seat | None:
        seats = self._rooms.get(room_id, {})
        seat = seats.pop(user_id, None)
        if not seats:
            self._rooms.pop(room_id, None)
        return seat

    def gone(self, now: float) -> Iterator[tuple[int, int, Seat]]:
        """Take out those whose grace is over."""
        while self._away and self._away[0][0] + self._grace <= now:
            since, room_id, user_id = self._away.popleft()
            seat = self.get(room_id, user_id)
            if seat and seat.away_since == since:
                self.drop(room_id, user_id)
                yield room_id, user_id, seat

    def get(self, room_id: int, user_id: int) -> Seat | None:
        return self._rooms.get(room_id, {}).get(user_id)

    def of(self, room_id: int) -> dict[int, Seat]:
        return self._rooms.get(room_id, {})

    def all(self) -> list[tuple[int, int, Seat]]:
        return [(room, user, one) for room, us in self._rooms.items() for user, one in us.items()]

    @property
    def waiting(self) -> bool:
        return bool(self._away)


@dataclass(frozen=True)
class Wish:
    what: str  # here, gone or left, as presence/leases.py has it
    name: str = ""
    came_at: int = 0
    exit_at: int = 0
    seq: int = 0


Batch = dict[int, dict[int, Wish]]


class Wishes:
    """What Redis is to be told: the latest for each person, kept until it was done."""

    ROOMS_AT_ONCE = 100

    def __init__(self, people_at_once: int):
        self._people_at_once = people_at_once
        self._rooms: Batch = {}
        self._taken: Batch = {}

    def add(self, room_id: int, user_id: int, wish: Wish) -> None:
        wishes = self._rooms.setdefault(room_id, {})
        wishes[user_id] = _after(wish, wishes.get(user_id))

    def take(self) -> Batch:
        self._taken = {}
        for room_id in list(self._rooms)[: self.ROOMS_AT_ONCE]:
            wishes = self._rooms[room_id]
            some = list(wishes)[: self._people_at_once]
            self._taken[room_id] = {user_id: wishes.pop(user_id) for user_id in some}
            if not wishes:
                del self._rooms[room_id]
        return self._taken

    def done(self, room_id: int) -> None:
        self._taken.pop(room_id, None)

    def put_back(self) -> None:
        """What was taken and not done, unless somebody wished otherwise meanwhile."""
        for room_id, wishes in self._taken.items():
            later = self._rooms.setdefault(room_id, {})
            for user_id, wish in wishes.items():
                later[user_id] = _after(later[user_id], wish) if user_id in later else wish
        self._taken = {}

    def open(self, room_id: int, user_id: int) -> bool:
        rooms = (self._rooms.get(room_id, {}), self._taken.get(room_id, {}))
        return any(user_id in wishes for wishes in rooms)

    def keeps(self, room_id: int) -> bool:
        return any(one.what == "here" for one in self._rooms.get(room_id, {}).values())

    def __bool__(self) -> bool:
        return bool(self._rooms)


def _after(wish: Wish, earlier: Wish | None) -> Wish:
    """Who went and came back while Redis was down was away all the same: the exit is kept."""
    if earlier is None or wish.what == "left":
        return wish
    return replace(wish, exit_at=max(wish.exit_at, earlier.exit_at), seq=max(wish.seq, earlier.seq))
