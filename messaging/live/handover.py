"""Drafts on their way to the homes of their rooms, and the answers.

To hand over is an optimisation, and never a promise: the database decides, and a client id makes a
second try harmless. A home that hears nothing, that says nothing in time, or that missed
something, is passed by: this process takes back all that it handed to it, writes it in its order,
and leaves that home alone for a while. What one person says in a room stays in order, for it never
goes two ways at once.
"""

import asyncio
from asyncio import Future
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from core import metrics
from messaging.live.drafts import Answer, Draft, Receipt, unavailable
from messaging.live.home import Homes
from messaging.live.refusals import REPEATED, STORED, as_refusal
from messaging.live.road import ANSWER_SECONDS, Handed, Road
from messaging.live.writer import DEADLINE_SECONDS, WAITING_MAX, Writer

LAG_SECONDS = 0.02  # a look that is later than this was not in time to hear what came
LAGS = 2.0  # for so many times as long it is waited then
ALONE_SECONDS = 5.0  # that a home is left alone, once it was passed by; then it is asked
ASK_SECONDS = 1.0  # between two questions whether it is there
IDLE_STEP_SECONDS = 0.01  # between two looks whether all is answered, at the end
HANDOVER_MAX = 500  # drafts at once
HANDOVER_CHARACTERS = 256 * 1024  # of their texts; one more draft may go over it

HANDED = metrics.counter(
    "chattalk_messages_handed_over_total", "Messages that were handed to the home of their room."
)
PASSED_BY = metrics.counter(
    "chattalk_homes_passed_by_total", "Homes that gave no answer in time, so that we wrote."
)


class Handover:
    """Belongs to one event loop. `send` tells a process something, soon and at best; `now` is the
    database's clock; `holds`: whether this process hears the lines of a room."""

    def __init__(
        self,
        writer: Writer,
        homes: Homes,
        send: Callable[[str, dict[str, Any]], None],
        now: Callable[[], datetime],
        holds: Callable[[int], bool],
    ) -> None:
        self._writer, self._homes = writer, homes
        self._send, self._now, self._holds = send, now, holds
        self._roads: dict[str, Road] = {}
        self._many = 0  # drafts that are handed over, and not answered
        self._ways: dict[int, str] = {}  # room → the home that its drafts go to
        # room → person → what they said last before the room's way changed, and by which way
        self._before: dict[int, dict[int, tuple[Answer, str | None]]] = {}
        self._unheard: dict[tuple[int, int], int] = {}  # room, person → lines of ours to be told
        self._epochs = 0

    def put(self, draft: Draft) -> "Future[Receipt]":
        """As the writer, or by the home of the room."""
        answer: Future[Receipt] = asyncio.get_running_loop().create_future()
        self.take(draft, answer)
        return answer

    def take(self, draft: Draft, answer: Answer) -> None:
        """As `put`, for who has their own answer."""
        way = self._way(draft.room_id)
        if draft.room_id in self._before:
            way = self._way_of(draft, way)
        came = asyncio.get_running_loop().time()
        if way is None:
            self._writer.take(draft, answer, came + DEADLINE_SECONDS)
        else:
            self._hand(Handed(draft, answer, came), way)
        if (before := self._before.get(draft.room_id)) and draft.sender.id in before:
            before[draft.sender.id] = answer, way

    # --- which way ----------------------------------------------------------------------------

    def _way(self, room_id: int) -> str | None:
        home = self._homes.said(room_id)
        if home != self._ways.get(room_id):
            self._turn(room_id, home)
        return home

    def _turn(self, room_id: int, home: str | None) -> None:
        """People with messages under way go on by the old way until these are answered."""
        old = self._ways.pop(room_id, None)
        road = self._writer if old is None else self._roads.get(old)
        found = road.speakers(room_id) if road else {}
        before = self._before.pop(room_id, {})
        before |= {person: (answer, old) for person, answer in found.items()}
        if before := {person: last for person, last in before.items() if not last[0].done()}:
            self._before[room_id] = before
        if home is not None:
            self._ways[room_id] = home

    def _way_of(self, draft: Draft, way: str | None) -> str | None:
        before = self._before[draft.room_id]
        if (last := before.get(draft.sender.id)) is None:
            return way
        if not last[0].done():
            return last[1]
        del before[draft.sender.id]
        if not before:
            del self._before[draft.room_id]
        return way

    # --- to the home --------------------------------------------------------------------------

    def _hand(self, handed: Handed, home: str) -> None:
        if self._many >= WAITING_MAX:
            handed.answer.set_exception(unavailable())
            return
        road = self._roads.get(home) or self._new_road(home)
        road.gathered.append(handed)
        if len(road.gathered) == 1:
            asyncio.get_running_loop().call_soon(self._flush, road)
        self._many += 1
        draft = handed.draft
        if self._holds(draft.room_id):
            spoken = draft.room_id, draft.sender.id
            self._unheard[spoken] = self._unheard.get(spoken, 0) + 1

    def _new_road(self, home: str) -> Road:
        for gone in [one for one in self._roads.values() if one.is_over]:
            if not self._homes.is_living(gone.home):
                del self._roads[gone.home]
        self._roads[home] = Road(home, self._next_epoch())
        return self._roads[home]

    def _next_epoch(self) -> int:
        self._epochs += 1
        return self._epochs

    def _flush(self, road: Road) -> None:
        """What came in one turn of the loop. The home gathers what all others hand to it: who kept
        something back until it answers would keep it waiting for that."""
        while road.gathered:
            together = road.next(HANDOVER_MAX, HANDOVER_CHARACTERS)
            HANDED.value += len(together)
            if not road.under_way:
                road.heard_at = together[0].came
            self._send(road.home, road.bundle(together, self._until(together[0].came)))
        if road.look is None and road.under_way:
            self._look_after(road, road.left(asyncio.get_running_loop().time()))

    def _until(self, came: float) -> float:
        """By then what came then has been taken back."""
        passed = asyncio.get_running_loop().time() - came
        return self._now().timestamp() + ANSWER_SECONDS - passed

    # --- answers ------------------------------------------------------------------------------

    def answered(self, told: dict[str, Any]) -> None:
        """By a home."""
        road = self._roads.get(told["by"])
        if road is None:
            return
        if road.is_closed:
            self._open(road)
        if told["epoch"] != road.epoch:
            return  # taken back meanwhile
        road.heard_at = asyncio.get_running_loop().time()
        for number, n, code, seq, at in told["answers"]:
            if (handed := road.settle(number, n)) is None:
                continue
            self._many -= 1
            if handed.answer.done():
                continue
            if code in (STORED, REPEATED):
                when = datetime.fromtimestamp(at, UTC)
                room_id, _, cid, _ = handed.draft
                handed.answer.set_result(Receipt(room_id, cid, seq, when, code == REPEATED))
            else:
                handed.answer.set_exception(as_refusal(code))

    def _open(self, road: Road) -> None:
        road.is_closed = False
        self._homes.answers_again(road.home)
        if road.look is not None:
            road.look.cancel()
            road.look = None

    def not_ours(self, room_id: int, speakers: list[int]) -> list[int]:
        """The speakers of lines that another process tells, without those of lines that we handed
        over; each such line counts once."""
        unheard = self._unheard
        if not unheard:
            return speakers
        others = []
        for user_id in speakers:
            spoken = room_id, user_id
            if not (left := unheard.get(spoken, 0)):
                others.append(user_id)
            elif left == 1:
                del unheard[spoken]
            else:
                unheard[spoken] = left - 1
        return others

    # --- a home that does not answer ------------------------------------------------------------

    def _look_after(self, road: Road, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        road.look = loop.call_at(due, self._look, road, due)

    def _look(self, road: Road, due: float) -> None:
        now = asyncio.get_running_loop().time()
        road.look = None
        if road.is_closed:
            self._ask(road)
        elif not road.under_way:
            return
        elif (left := road.left(now)) > 0:
            self._look_after(road, left)
        elif now - due > LAG_SECONDS:  # we are late, and what it said waits to be read
            self._look_after(road, LAGS * (now - due))
        else:
            self._pass_by(road)

    def unheard(self, process: str) -> None:
        """What we told it nobody has heard: it is dead, or cut off from Redis, or we are."""
        road = self._roads.get(process)
        if road is not None and road.under_way and not road.is_closed:
            self._pass_by(road)

    def _pass_by(self, road: Road) -> None:
        PASSED_BY.value += 1
        road.is_closed = True
        self._homes.pass_by(road.home)
        self._take_back(road)
        if road.look is not None:
            road.look.cancel()
        self._look_after(road, ALONE_SECONDS)

    def _ask(self, road: Road) -> None:
        """Whether it is there: nothing is handed over, and that is answered."""
        if self._homes.is_living(road.home):
            until = self._until(asyncio.get_running_loop().time())
            self._send(road.home, road.bundle([], until))
            self._look_after(road, ASK_SECONDS)
        else:
            del self._roads[road.home]

    def missed(self, told: dict[str, Any]) -> None:
        """A home did not get all that was handed to it, or is none any more."""
        if told["leaves"]:
            self._homes.leaves(told["by"])
        road = self._roads.get(told["by"])
        if road is not None and road.epoch == told["epoch"]:
            self._take_back(road)

    def _take_back(self, road: Road) -> None:
        """Write all that was handed over there, in its order."""
        taken = road.begin(self._next_epoch())
        for handed in taken:
            self._many -= 1
            if not handed.answer.done():
                deadline = handed.came + DEADLINE_SECONDS
                self._writer.take(handed.draft, handed.answer, deadline)
        for room_id in [room for room, home in self._ways.items() if home == road.home]:
            self._turn(room_id, None)
        for before in self._before.values():
            for person, (answer, home) in before.items():
                if home == road.home:
                    before[person] = answer, None
        self._unheard.clear()

    async def idle(self) -> None:
        """Wait until all that was handed over is answered."""
        waiting = [one.answer for road in self._roads.values() for one in road.all()]
        while not all(answer.done() for answer in waiting):
            await asyncio.sleep(IDLE_STEP_SECONDS)

    def close(self) -> None:
        for road in self._roads.values():
            if road.look is not None:
                road.look.cancel()
