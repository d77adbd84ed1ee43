"""How many others hear, as far as Redis has said: each message that is told answers that.

So nothing has to be told where nobody else listens. That is exact: a process says hello after it
has joined groups and before it looks at their rooms. Who believed to be alone takes that back, and
tells up to where it has kept to itself what was said; the other one reads that in the database.
In a cluster of Redis the answer may be short, so there nobody believes to be alone.
"""

import time
from collections import deque
from collections.abc import Iterable
from typing import Any

BELIEVED_SECONDS = 5.0  # for so long at least, and twice as long at most; then it is asked anew
AGAIN_SECONDS = 2.0  # what was kept back last goes to who comes
KEPT_BACK_MAX = 200  # messages

Place = int | str  # a room, or a process: what is for it alone
Content = dict[str, Any]


class Hearers:
    """How many other processes hear of a group. `everywhere` is the one that all are in."""

    def __init__(self, everywhere: Place) -> None:
        self._everywhere = everywhere
        self._counted: dict[Place, int] = {}
        self._before: dict[Place, int] = {}  # what is believed no more after the next turn
        self._comings = 0
        self._turn_at = time.monotonic() + BELIEVED_SECONDS

    def others(self, room_id: Place) -> int | None:
        """None if that is not known."""
        if time.monotonic() >= self._turn_at:
            self._before, self._counted = self._counted, {}
            self._turn_at = time.monotonic() + BELIEVED_SECONDS
        found = self._counted.get(room_id)
        return self._before.get(room_id) if found is None else found

    @property
    def is_alone(self) -> bool:
        return self.others(self._everywhere) == 0

    def ask(self) -> int:
        """Some are being told something; `count` wants to know when that was."""
        return self._comings

    def count(self, asked: int, answers: Iterable[tuple[Place, int]]) -> None:
        """Rooms, and how many others hear; worth nothing if somebody has come meanwhile."""
        if asked == self._comings:
            self._counted.update(answers)

    def come(self, rooms: Iterable[Place]) -> None:
        """Somebody has joined them."""
        self._comings += 1
        for room_id in (*rooms, self._everywhere):
            self._counted.pop(room_id, None)
            self._before.pop(room_id, None)

    def forget(self) -> None:
        """We may have missed that somebody came."""
        self._comings += 1
        self._counted.clear()
        self._before.clear()


class KeptBack:
    """What was not told, for nobody else was there: for those who come at this moment."""

    def __init__(self) -> None:
        self._heads: dict[Place, int] = {}
        self._before: dict[Place, int] = {}
        self._turn_at = time.monotonic() + BELIEVED_SECONDS
        self._messages: deque[tuple[float, Place, Content]] = deque(maxlen=KEPT_BACK_MAX)

    def lines(self, room_id: int, head: int) -> None:
        if time.monotonic() >= self._turn_at:
            self._before, self._heads = self._heads, {}
            self._turn_at = time.monotonic() + BELIEVED_SECONDS
        self._heads[room_id] = head

    def message(self, room_id: Place, content: Content) -> None:
        self._messages.append((time.monotonic(), room_id, content))

    def heads(self, rooms: Iterable[Place]) -> dict[Place, int]:
        """Up to where the logs of these rooms were kept back lately."""
        known = self._before | self._heads
        return {room_id: known[room_id] for room_id in rooms if room_id in known}

    @property
    def rooms(self) -> set[Place]:
        return {*self._before, *self._heads, *(room_id for _, room_id, _ in self._messages)}

    def messages(self, rooms: Iterable[Place]) -> list[tuple[Place, Content]]:
        """The last ones of these rooms, once."""
        since, wanted = time.monotonic() - AGAIN_SECONDS, set(rooms)
        messages = [one for one in self._messages if one[1] in wanted and one[0] >= since]
        for one in messages:
            self._messages.remove(one)
        return [(room_id, content) for _, room_id, content in messages]
