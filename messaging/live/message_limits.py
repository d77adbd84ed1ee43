"""How fast people may speak: each in one room, and in all rooms together.

Both are kept in this process, for a message must wait for nobody; what people say by others comes
to be known by the channel layer. Of a room each line tells it, where the room is held; of all rooms
together a process tells the others. While the layer is down each process counts what it sees.
"""

from collections.abc import Iterable

from core.rate_limits import ToldRate, cell_rate
from core.rate_limits.in_process import Tell

UNIT_BYTES = 1024  # a message counts one, and one more for each of these


def units(body: str) -> int:
    return 1 + (len(body) if body.isascii() else len(body.encode())) // UNIT_BYTES


class Limits:
    def __init__(self, tell: Tell) -> None:
        self._rooms = cell_rate("message")
        self._people = ToldRate("person_message", tell)
        self.told = self._people.heard  # people, and how many `units` each has said elsewhere

    def wait(self, room_id: int, user_id: int, body: str) -> float:
        """0 if it may be said now, and then it counts; else for how many seconds it may not."""
        room = room_id, user_id
        here, everywhere = self._rooms.left(room), self._people.left(user_id)
        if here or everywhere:
            return max(here, everywhere)
        self._rooms.count(room)
        self._people.count(user_id, units(body))
        return 0.0

    def said_elsewhere(self, room_id: int, users: Iterable[int]) -> None:
        """They said something by other processes, in a room that is held here; one of them as
        often as they stand there."""
        self._rooms.count_each([(room_id, user_id) for user_id in users])
