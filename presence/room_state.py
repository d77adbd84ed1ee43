"""The people in one room, as one process knows it, and what to show of them. Without I/O."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left, insort
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from presence.timings import Timings

VISIBLE = 200  # people; above it frames give the count and the first ones by id
AHEAD_MAX = 100  # changes that wait for the one before them; more, and loading anew is cheaper
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Frame = dict[str, Any]
# v version, b version before, came [[id, name]], went [[id, µs]], left [[id, µs]]
Change = dict[str, Any]


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def now_micros() -> int:
    return time.time_ns() // 1000


def moment(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


def written(micros: int) -> str:
    return moment(micros).isoformat(timespec="microseconds").replace("+00:00", "Z")


class PresenceRoom:
    def __init__(self, room_id: int, timings: Timings, seated: Callable[[int], bool]):
        self.id = room_id
        self.loaded = False
        self.version = 0
        self.loading: asyncio.Task[None] | None = None
        self.gap_since: float | None = None
        self._timings = timings
        self._seated = seated  # has a connection on this process: nobody else can say they went
        self._ahead: dict[int, Change] = {}
        self._people: dict[int, str] = {}
        self._ids: list[int] = []
        self._touched: dict[int, str | None] = {}  # who changed since the last frame: name shown
        self._went_at: dict[int, int] = {}
        self._watched = False  # somebody has got a snapshot, so changes are worth a frame
        self._shown_degraded = False
        self._shown_first: list[int] = []
        self._shown_count = 0
        self._shown_at = self._first_shown_at = float("-inf")

    # --- who is here --------------------------------------------------------------------------

    def come(self, user_id: int, name: str) -> None:
        old = self._people.get(user_id)
        if old == name:
            return
        self._touched.setdefault(user_id, old)
        if old is None:
            insort(self._ids, user_id)
        self._people[user_id] = name

    def go(self, user_id: int, at: int) -> None:
        name = self._people.pop(user_id, None)
        if name is None:
            return
        self._touched.setdefault(user_id, name)
        self._went_at[user_id] = at
        self._ids.pop(bisect_left(self._ids, user_id))

    def people(self) -> set[int]:
        """As the last frame said. What came to nothing before the next one is told by none, so who
        asks again with each frame must not have seen it either."""
        people = set(self._ids)
        for user_id, shown in self._touched.items() if self._watched else ():
            (people.discard if shown is None else people.add)(user_id)
        return people

    # --- in step with the other processes -----------------------------------------------------

    def hear(self, change: Change, now: float) -> None:
        """Take a change in its turn. One that comes too early waits, an old one is passed over."""
        if self.loaded and change["v"] <= self.version:
            return
        if len(self._ahead) > AHEAD_MAX:
            self._ahead.clear()  # the gap that this leaves is filled by loading
        self._ahead[change["b"]] = change
        if self.loaded:
            self._catch_up(now)

    def replace(self, people: dict[int, str], version: int, at: int, now: float) -> None:
        """What Redis said: the truth, up to the people whose connections are ours."""
        for user_id in [one for one in self._ids if one not in people]:
            if not self._seated(user_id):
                self.go(user_id, at)
        for user_id, name in people.items():
            if not self._seated(user_id):
                self.come(user_id, name)
        self.loaded, self.version, self.gap_since = True, version, None
        self._catch_up(now)

    def needs_loading(self, now: float) -> bool:
        return self.gap_since is not None and now - self.gap_since >= self._timings.gap

    def _catch_up(self, now: float) -> None:
        while change := self._ahead.pop(self.version, None):
            self._apply(change)
            self.version, self.gap_since = change["v"], None
        self._ahead = {b: one for b, one in self._ahead.items() if one["v"] > self.version}
        if not self._ahead:
            self.gap_since = None
        elif self.gap_since is None:
            self.gap_since = now

    def _apply(self, change: Change) -> None:
        for user_id, name in change["came"]:
            if not self._seated(user_id):
                self.come(user_id, name)
        for user_id, at in change["went"]:
            if not self._seated(user_id):
                self.go(user_id, at)

    # --- what is shown of it ------------------------------------------------------------------

    def snapshot(self, degraded: bool) -> Frame:
        if not self._watched:
            self._watched, self._shown_degraded = True, degraded
            self._shown_first, self._shown_count = self._ids[:VISIBLE], len(self._ids)
            self._changes()
        here = [{"id": one, "name": self._people[one]} for one in self._ids[:VISIBLE]]
        return self._frame(degraded, full=True, here=here)

    def frame(self, degraded: bool, now: float) -> Frame | None:
        """What changed since the last frame; None if nothing did."""
        if self.settled(degraded):
            return None
        came, went = self._changes()
        first, count = self._ids[:VISIBLE], len(self._ids)
        turned = degraded != self._shown_degraded
        was_crowd, crowd = self._shown_count > VISIBLE, count > VISIBLE
        if not (came or went or turned or self._first_is_stale()):
            return None
        self._shown_at, self._shown_degraded, self._shown_count = now, degraded, count
        if not crowd and not was_crowd:
            self._shown_first = first
            return self._frame(degraded, full=False, came=came, went=went)
        due = crowd != was_crowd or now - self._first_shown_at >= self._timings.crowd
        if due and (crowd != was_crowd or first != self._shown_first):
            self._shown_first, self._first_shown_at = first, now
            return self.snapshot(degraded)
        return self._frame(degraded, full=False)

    def next_frame_at(self) -> float:
        if not self._touched and self._first_is_stale():
            crowd = self._first_shown_at + self._timings.crowd
            return max(self._shown_at + self._timings.frame, crowd)
        return self._shown_at + self._timings.frame

    def settled(self, degraded: bool) -> bool:
        """Everything that is known was shown."""
        stale = self._touched or degraded != self._shown_degraded or self._first_is_stale()
        return not (self._watched and stale)

    def _first_is_stale(self) -> bool:
        return len(self._ids) > VISIBLE and self._ids[:VISIBLE] != self._shown_first

    def _changes(self) -> tuple[list[Frame], list[Frame]]:
        came, went = [], []
        for user_id, shown in self._touched.items():
            name = self._people.get(user_id)
            if name is None and shown is not None:
                went.append({"id": user_id, "at": written(self._went_at[user_id])})
            elif name is not None and name != shown:
                came.append({"id": user_id, "name": name})
        self._touched, self._went_at = {}, {}
        return came, went

    def _frame(self, degraded: bool, *, full: bool, **people: list[Frame]) -> Frame:
        frame = {"type": "presence", "room": self.id, "full": full, "count": len(self._ids)}
        return {**frame, **people, "degraded": degraded}
