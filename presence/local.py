"""The connections to this process: whose, and in which room. Without I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass
class LocalPerson:
    name: str
    came_at: int
    connections: int = 0
    exit_at: int = 0  # of the connection that went last
    seq: int = 0
    version: int = 0  # of the room when Redis took it; 0: not yet
    away_since: float | None = None


class LocalPeople:
    """And who had one a moment ago: a reload comes back within the grace."""

    def __init__(self, grace: float):
        self._grace = grace
        self._rooms: dict[int, dict[int, LocalPerson]] = {}
        self._away: deque[tuple[float, int, int]] = deque()

    def track(self, room_id: int, user_id: int, name: str, at: int) -> LocalPerson | None:
        """Gives the person, if there is something new about them."""
        people = self._rooms.setdefault(room_id, {})
        person = people.setdefault(user_id, LocalPerson("", at))
        person.connections, person.away_since = person.connections + 1, None
        if person.name == name:
            return None
        person.name = name
        return person

    def untrack(self, room_id: int, user_id: int, at: int, seq: int, now: float) -> None:
        person = self.get(room_id, user_id)
        if person is None or not person.connections:
            return
        person.connections -= 1
        person.exit_at, person.seq = max(person.exit_at, at), max(person.seq, seq)
        if not person.connections:
            person.away_since = now
            self._away.append((now, room_id, user_id))

    def hurry(self, room_id: int, user_id: int, now: float) -> None:
        """The grace of who went is over."""
        person = self.get(room_id, user_id)
        if person and person.away_since is not None:
            person.away_since = now - self._grace
            self._away.appendleft((person.away_since, room_id, user_id))

    def drop(self, room_id: int, user_id: int) -> LocalPerson | None:
        people = self._rooms.get(room_id, {})
        person = people.pop(user_id, None)
        if not people:
            self._rooms.pop(room_id, None)
        return person

    def gone(self, now: float) -> Iterator[tuple[int, int, LocalPerson]]:
        """Take out those whose grace is over."""
        while self._away and self._away[0][0] + self._grace <= now:
            since, room_id, user_id = self._away.popleft()
            person = self.get(room_id, user_id)
            if person and person.away_since == since:
                self.drop(room_id, user_id)
                yield room_id, user_id, person

    def get(self, room_id: int, user_id: int) -> LocalPerson | None:
        return self._rooms.get(room_id, {}).get(user_id)

    def of(self, room_id: int) -> dict[int, LocalPerson]:
        return self._rooms.get(room_id, {})

    def all(self) -> list[tuple[int, int, LocalPerson]]:
        return [(room, user, one) for room, us in self._rooms.items() for user, one in us.items()]

    @property
    def waiting(self) -> bool:
        return bool(self._away)
