"""The crowd at a room's door: those of one process who wait for the same room are seated together.

The first to come leads: takes the room's lock once, seats all who have come by then in one
transaction, and answers each. Works for threads and event loops alike (concurrent futures); who
waits on an event loop needs no thread.
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
Crowd = list[tuple[int, "Future[None]"]]


class AdmissionQueue:
    """`then`: the queue in which those go on who are not refused here. What all of a crowd can
    share before they wait for the room's lock is looked at in a queue that has none."""

    def __init__(
        self,
        seat: Callable[[int, Collection[int]], Outcomes],
        *,
        has_lock: bool = True,
        then: "AdmissionQueue | None" = None,
    ) -> None:
        self._seat, self._has_lock, self._then = seat, has_lock, then
        self._mutex = Lock()
        self._crowds: dict[int, list[tuple[int, Future[None]]]] = {}
        self._leaders = ThreadPoolExecutor(LEADERS, "door")

    def enter(self, room_id: int, user_id: int) -> "Future[None]":
        """Queue up. The future is done when seated; it raises why not."""
        waiting: Future[None] = Future()
        self.queue_up(room_id, [(user_id, waiting)])
        return waiting

    def queue_up(self, room_id: int, crowd: Crowd) -> None:
        with self._mutex:
            is_first = room_id not in self._crowds
            self._crowds.setdefault(room_id, []).extend(crowd)
        if is_first:
            self._leaders.submit(self._lead, room_id)

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

    def _next_crowd(self, room_id: int) -> Crowd:
        with self._mutex:
            crowd = self._crowds[room_id]
            self._crowds[room_id] = crowd[BATCH_MAX:]
        # Who gave up waiting is not seated; who is not can't give up any more.
        return [(user, one) for user, one in crowd[:BATCH_MAX] if _waits(one)]

    def _more_wait(self, room_id: int) -> bool:
        with self._mutex:
            if self._crowds[room_id]:
                return True
            del self._crowds[room_id]
            return False

    def _seat_crowd(self, room_id: int, crowd: Crowd) -> None:
        try:
            verdicts = self._seat(room_id, list(dict.fromkeys(user for user, _ in crowd)))
        except Exception as error:  # theirs to know: it is raised where each of them waits
            verdicts = {user: error for user, _ in crowd}
        onward = []
        for user, waiting in crowd:
            refusal = verdicts[user]
            if refusal is not None:
                waiting.set_exception(refusal)
            elif self._then is None:
                waiting.set_result(None)
            else:
                onward.append((user, waiting))
        if self._then is not None and onward:
            self._then.queue_up(room_id, onward)


def _waits(waiting: "Future[None]") -> bool:
    return waiting.running() or waiting.set_running_or_notify_cancel()
