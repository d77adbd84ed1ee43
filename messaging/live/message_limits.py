"""How fast people may speak: each in one room, and in all rooms together.

Both are kept in this process, for a message must wait for nobody; what people say by others comes
to be known by the channel layer. Of a room each line tells it, where the room is held. Of all rooms
together a process tells the others, but only of who says much: so it costs nothing for most, and
who goes from process to process gets no more than what is on its way. While the layer is down each
process counts what it sees.
"""

from collections.abc import Callable

from django.conf import settings

from core.gcra import CellRate

UNIT_BYTES = 1024  # a message counts one, and one more for each of these
TELL_PARTS = 8  # of the burst: who has said as much as one of them is told of
PEOPLE_MAX = 50_000  # of whom something is not told yet

Tell = Callable[[list[tuple[int, int]]], None]  # people, and how much each has said


def units(body: str) -> int:
    return 1 + (len(body) if body.isascii() else len(body.encode())) // UNIT_BYTES


class Limits:
    def __init__(self, tell: Tell) -> None:
        self._rooms = CellRate(settings.MESSAGE_RATE, settings.MESSAGE_BURST)
        self._people = CellRate(settings.PERSON_MESSAGE_RATE, settings.PERSON_MESSAGE_BURST)
        self._part = max(1, settings.PERSON_MESSAGE_BURST // TELL_PARTS)
        self._tell = tell
        self._untold: dict[int, int] = {}

    def wait(self, room_id: int, user_id: int, body: str) -> float:
        """0 if it may be said now, and then it counts; else for how many seconds it may not."""
        room = room_id, user_id
        if seconds := max(self._rooms.left(room), self._people.left(user_id)):
            return seconds
        self._rooms.count(room)
        self._people.count(user_id, size := units(body))
        self._note(user_id, size)
        return 0.0

    def said_elsewhere(self, room_id: int, user_id: int) -> None:
        """Somebody said something by another process, in a room that is held here."""
        self._rooms.count((room_id, user_id))

    def told(self, people: list[tuple[int, int]]) -> None:
        """Other processes tell who says much, and how much: units of `units`."""
        for user_id, size in people:
            self._people.count(user_id, size)

    def _note(self, user_id: int, size: int) -> None:
        size += self._untold.pop(user_id, 0)
        if size >= self._part:
            self._tell([(user_id, size)])
            return
        if len(self._untold) >= PEOPLE_MAX:  # little of each; it is not worth more
            self._untold.clear()
        self._untold[user_id] = size
