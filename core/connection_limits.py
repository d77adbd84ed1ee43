"""How many connections each has here.

Counted per process, exactly, and not over all of them: what is bounded is the memory of this one,
and a question to Redis for each of a crowd that comes back would cost more than it saves. All
processes together hold at most that many times as much.
"""

from collections.abc import Hashable


class TooMany(Exception):
    """They have as many as one may have."""


class ConnectionLimit:
    def __init__(self, most: int) -> None:
        self.most = most
        self._counts: dict[Hashable, int] = {}

    def take(self, who: Hashable) -> bool:
        """One more, unless they have the most already. Who is nobody in particular may."""
        count = self._counts.get(who, 0)
        if who and count >= self.most:
            return False
        self._counts[who] = count + 1
        return True

    def give_back(self, who: Hashable) -> None:
        """One that was taken is free again."""
        left = self._counts.pop(who) - 1
        if left:
            self._counts[who] = left
