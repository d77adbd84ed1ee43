"""Who has a connection to this process, in which room. Without I/O."""

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

    def arrive(self, room_id: int, user_id: int, name: str, at: int) -> LocalPerson | None:
        """Gives the visitor if there is something new about them."""
        visitors = self._rooms.setdefault(room_id, {})
        visitor = visitors.setdefault(user_id, LocalPerson("", at))
        visitor.connections, visitor.away_since = visitor.connections + 1, None
        if visitor.name == name:
            return None
        visitor.name = name
        return visitor

    def depart(self, room_id: int, user_id: int, at: int, seq: int, now: float) -> None:
        visitor = self.get(room_id, user_id)
        if visitor is None or not visitor.connections:
            return
        visitor.connections -= 1
        visitor.exit_at, visitor.seq = max(visitor.exit_at, at), max(visitor.seq, seq)
        if not visitor.connections:
            visitor.away_since = now
            self._away.append((now, room_id, user_id))

    def hurry(self, room_id: int, user_id: int, now: float) -> None:
        """The grace of who went is over."""
        visitor = self.get(room_id, user_id)
        if visitor and visitor.away_since is not None:
            visitor.away_since = now - self._grace
            self._away.appendleft((visitor.away_since, room_id, user_id))

    def drop(self, room_id: int, user_id: int) -> LocalPerson | None:
        visitors = self._rooms.get(room_id, {})
        visitor = visitors.pop(user_id, None)
        if not visitors:
            self._rooms.pop(room_id, None)
        return visitor

    def gone(self, now: float) -> Iterator[tuple[int, int, LocalPerson]]:
        """Take out those whose grace is over."""
        while self._away and self._away[0][0] + self._grace <= now:
            since, room_id, user_id = self._away.popleft()
            visitor = self.get(room_id, user_id)
            if visitor and visitor.away_since == since:
                self.drop(room_id, user_id)
                yield room_id, user_id, visitor

    def get(self, room_id: int, user_id: int) -> LocalPerson | None:
        return self._rooms.get(room_id, {}).get(user_id)

    def of(self, room_id: int) -> dict[int, LocalPerson]:
        return self._rooms.get(room_id, {})

    def all(self) -> list[tuple[int, int, LocalPerson]]:
        return [(room, user, one) for room, us in self._rooms.items() for user, one in us.items()]

    @property
    def waiting(self) -> bool:
        return bool(self._away)
