"""When people went from here while another process still had them.

That process may have a line that is long dead: a host that is cut off keeps its people until its
lease is over. What it, or who buries it, then tells is when it last heard of them, and that is
earlier than they went.
"""

from typing import NamedTuple

KEPT_SECONDS = 60.0  # more than a lease and the time until somebody notices that it is over


class EarlierExit(NamedTuple):
    at: int  # µs
    seq: int
    until: float  # of the loop's clock


class Exits:
    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], EarlierExit] = {}

    def note(self, room_id: int, user_id: int, at: int, seq: int, now: float) -> None:
        self._forget(now)
        self._kept.pop((room_id, user_id), None)  # the newest stands last
        self._kept[room_id, user_id] = EarlierExit(at, seq, now + KEPT_SECONDS)

    def later(self, room_id: int, user_id: int, at: int, now: float) -> EarlierExit | None:
        """Theirs, if it was after that."""
        found = self._kept.pop((room_id, user_id), None)
        return found if found and found.at > at and found.until > now else None

    def _forget(self, now: float) -> None:
        while self._kept and (oldest := next(iter(self._kept))):
            if self._kept[oldest].until > now:
                return
            del self._kept[oldest]
