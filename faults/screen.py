"""What a member has on screen: each line once, in the order it came.

Nothing is put right here. What is lost or out of order on the way is seen by the judge.
"""

from collections.abc import Callable
from typing import Any

Frame = dict[str, Any]


class Screen:
    """`tell(seq, cid, kind or what else it is)` is called for each line that is shown."""

    def __init__(self, room: int, tell: Callable[[int, str, str], None]) -> None:
        self._room, self._tell = room, tell
        self.shown: list[tuple[int, str]] = []  # seq and cid
        self._seqs: set[int] = set()
        self.last = 0  # up to here without a hole
        self.repeats = 0  # lines that one subscription told twice
        self._told: set[int] = set()  # by the subscription of now
        self._held: list[Frame] | None = None  # live lines, while the log is loaded anew

    def subscribed(self) -> None:
        """What the next subscription tells again is its right."""
        self._told = set()

    def hear(self, line: Frame) -> None:
        self.repeats += line["seq"] in self._told
        self._told.add(line["seq"])
        if self._held is None:
            self.show(line)
        else:
            self._held.append(line)

    def show(self, line: Frame) -> None:
        seq, cid = line["seq"], line.get("cid", "")
        if seq in self._seqs:
            return
        self._seqs.add(seq)
        self.shown.append((seq, cid))
        while self.last + 1 in self._seqs:
            self.last += 1
        is_here = line["room"] == self._room
        self._tell(seq, cid, line["kind"] if is_here else f"of room {line['room']}")

    # --- while the log is loaded anew -----------------------------------------------------------

    @property
    def is_held(self) -> bool:
        return self._held is not None

    def hold(self) -> None:
        """Live lines wait from here on."""
        self._held = []

    def let_go(self) -> None:
        held, self._held = self._held or [], None
        for line in held:
            self.show(line)

    def forget_held(self) -> None:
        """Their connection is over: the next one tells them."""
        self._held = None
