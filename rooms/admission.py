"""The crowd at a room's door: those of one process who wait for the same room are seated together.

The first to come leads: takes the room's lock once, seats all who have come by then in one
transaction, and answers each. Works for threads and event loops alike (concurrent futures).
"""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from threading import Lock

from django.db import close_old_connections

from rooms.locks import room_lock

LEADERS = 4  # rooms that are seated at the same time by one process
BATCH_MAX = 500  # people per transaction

# What became of each: None is seated, an exception is why not.
Outcomes = Mapping[int, Exception | None]


class AdmissionQueue:
    """Without its lock it only keeps a crowd together: for a look that all of it can share."""

    def __init__(
        self, seat: Callable[[int, Collection[int]], Outcomes], has_lock: bool = True
    ) -> None:
        self._seat, self._has_lock = seat, has_lock
        self._mutex = Lock()
        self._crowds: dict[int, list[tuple[int, Future[None]]]] = {}
        self._leaders = ThreadPoolExecutor(LEADERS, "door")

    def enter(self, room_id: int, user_id: int) -> "Future[None]":
        """Queue up. The future is done when seated; it raises why not."""
        waiting: Future[None] = Future()
        with self._mutex:
            is_first = room_id not in self._crowds
            self._crowds.setdefault(room_id, []).append((user_id, waiting))
        if is_first:
            self._leaders.submit(self._lead, room_id)
        return waiting

    def _lead(self, room_id: int) -> None:
        close_old_connections()
        try:
            with room_lock(room_id) if self._has_lock else nullcontext():
                self._seat_crowd(room_id, self._next_crowd(room_id))
        except Exception as error:  # of the lock's: who waits must hear of it
            for _, waiting in self._next_crowd(room_id):
                waiting.set_exception(error)
        finally:
            close_old_connections()
            if self._more_wait(room_id):
                self._leaders.submit(self._lead, room_id)

    def _next_crowd(self, room_id: int) -> list[tuple[int, "Future[None]"]]:
        with self._mutex:
            crowd = self._crowds[room_id]
            self._crowds[room_id] = crowd[BATCH_MAX:]
        # Who gave up waiting is not seated; who is not can't give up any more.
        first = crowd[:BATCH_MAX]
        return [(user, one) for user, one in first if one.set_running_or_notify_cancel()]

    def _more_wait(self, room_id: int) -> bool:
        with self._mutex:
            if self._crowds[room_id]:
                return True
            del self._crowds[room_id]
            return False

    def _seat_crowd(self, room_id: int, crowd: list[tuple[int, "Future[None]"]]) -> None:
        try:
            verdicts = self._seat(room_id, list(dict.fromkeys(user for user, _ in crowd)))
        except Exception as error:  # theirs to know: it is raised where each of them waits
            verdicts = {user: error for user, _ in crowd}
        for user, waiting in crowd:
            refusal = verdicts[user]
            if refusal is None:
                waiting.set_result(None)
            else:
                waiting.set_exception(refusal)
