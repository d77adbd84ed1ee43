"""From one process to a home: what is handed over, numbered, until it is answered."""

import asyncio
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, NamedTuple

from messaging.live.drafts import Answer, Draft

SILENT_SECONDS = 1.0  # a home that answers nothing for so long is passed by
ANSWER_SECONDS = 1.5  # that any draft waits for its answer by a home


class Handed(NamedTuple):
    draft: Draft
    answer: Answer
    came: float  # of the event loop's clock


class Road:
    """Hand-overs are numbered from 0 in each epoch, so that the home sees a gap."""

    def __init__(self, home: str, epoch: int) -> None:
        self.home, self.epoch = home, epoch
        self.gathered: list[Handed] = []  # not sent yet
        self.under_way: dict[int, dict[int, Handed]] = {}  # by the number of the hand-over
        self.heard_at = 0.0
        self.is_closed = False  # the home is left alone
        self.look: asyncio.TimerHandle | None = None
        self._number = 0

    @property
    def is_over(self) -> bool:
        """Nothing is on it, and nobody looks after it."""
        return self.look is None and not self.under_way and not self.gathered

    def next(self, most: int, characters: int) -> list[Handed]:
        """The first of what is gathered, as many as go together."""
        sizes = accumulate(len(one.draft.body) for one in self.gathered[:most])
        many = 1 + sum(size < characters for size in list(sizes)[:-1])
        together, self.gathered = self.gathered[:many], self.gathered[many:]
        return together

    def bundle(self, together: list[Handed], until: float) -> dict[str, Any]:
        """The next hand-over, as it is told. The home takes nothing of it after `until`."""
        number, self._number = self._number, self._number + 1
        if together:
            self.under_way[number] = dict(enumerate(together))
        return {
            "type": "handover",
            "epoch": self.epoch,
            "number": number,
            "until": until,
            "drafts": [
                (room, sender.id, sender.name, cid.bytes, body)
                for room, sender, cid, body in (one.draft for one in together)
            ],
        }

    def settle(self, number: int, n: int) -> Handed | None:
        """That draft of that hand-over is answered."""
        bundle = self.under_way.get(number)
        handed = bundle.pop(n, None) if bundle else None
        if not bundle:
            self.under_way.pop(number, None)
        return handed

    def left(self, now: float) -> float:
        """Seconds, until the home is passed by."""
        silent = max(self._oldest, self.heard_at) + SILENT_SECONDS
        return min(silent, self._oldest + ANSWER_SECONDS) - now

    @property
    def _oldest(self) -> float:
        """When the first draft that waits for its answer came."""
        return next(iter(next(iter(self.under_way.values())).values())).came

    def all(self) -> Iterator[Handed]:
        """In their order."""
        for bundle in self.under_way.values():
            yield from bundle.values()
        yield from self.gathered

    def speakers(self, room_id: int) -> dict[int, Answer]:
        """People with messages in the room under way, and the last answer each waits for."""
        ours = (one for one in self.all() if one.draft.room_id == room_id)
        return {one.draft.sender.id: one.answer for one in ours}

    def begin(self, epoch: int) -> list[Handed]:
        """Anew; answers what was under way."""
        taken = list(self.all())
        self.epoch, self._number = epoch, 0
        self.under_way, self.gathered = {}, []
        return taken
