"""Group commit: all messages that wait in this process are stored by one statement.

Alone when idle, together under load: while one batch is on its way to the disk the next one
gathers. A sender is answered after COMMIT. A statement whose outcome is unknown (the connection
broke) is simply run again: the client ids make that harmless.
"""

import asyncio
import logging
from asyncio import Future
from collections.abc import Callable
from typing import Any

import psycopg

from core.postgresql import arrays
from core.postgresql.reads import connect, run
from core.postgresql.writable import writable
from core.text import first_line
from messaging import log
from messaging.live import written
from messaging.live.drafts import (
    Answer,
    Draft,
    Key,
    Outcome,
    Receipt,
    Waiting,
    conflict,
    numbered,
    unavailable,
)
from messaging.live.filling import Filling
from messaging.live.refusals import refusal
from messaging.log.event import Event
from messaging.log.kinds import Kind

logger = logging.getLogger(__name__)

BATCH_MAX = 500  # messages per statement
WAITING_MAX = 10_000  # messages; more are refused at once
LOCK_MILLISECONDS = 1000  # for a room's row; others write to it for milliseconds
# One plan, by the indexes, from the first message on: a plan that was made while the tables were
# empty would read them whole, and go on to when they are large. The batch is joined by hashing, for
# the planner takes it for ten messages; and a bitmap has no order, in which rooms are to be locked.
PLAN = {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "jit": "off"}
PLAN |= {"enable_nestloop": "off", "enable_bitmapscan": "off"}
SESSION = PLAN | {"lock_timeout": str(LOCK_MILLISECONDS)}
DEADLINE_SECONDS = 2.5  # then the sender is told to try again, within 3 s of their message
LATE_SECONDS = 0.25  # between two looks for those whose deadline is over, while a batch is stuck
# Where one could not be stored as it was, others follow: who may not speak tries again, and those
# whose line broke say again what they had said. So long each is judged at once.
JUDGE_SECONDS = 1.0
MESSAGE = Kind.MESSAGE.value
RIVALS_MAX = 100  # messages that wait to be judged by one that has their id
# What the server has said, so that nothing is unknown; and a disk stays full for longer than 2.5 s.
WRONG = (psycopg.errors.UniqueViolation, psycopg.errors.NotNullViolation)  # POST says which
ANSWERS = (*WRONG, psycopg.errors.LockNotAvailable, psycopg.errors.DiskFull)


class Writer:
    """Belongs to one event loop. `stored` is called with the new events, in order, after the
    senders were answered."""

    def __init__(self, stored: Callable[[list[Event]], None]) -> None:
        self._stored = stored
        self._waiting: dict[Key, Waiting] = {}
        self.filling = Filling(self._waiting, BATCH_MAX)
        self._under_way: dict[Key, Waiting] = {}
        self._rivals: list[tuple[Draft, Answer, float]] = []
        self._judge_until = 0.0  # of the event loop's clock
        self._trouble = ""  # how the last try to store the batch under way failed
        self._late: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._connection: psycopg.AsyncConnection[Any] | None = None

    def put(self, draft: Draft) -> "Future[Receipt]":
        """The future answers after COMMIT, or raises NotMember or ValidationError
        (conflict, room_closed, unavailable); within 3 s."""
        loop = asyncio.get_running_loop()
        answer: Future[Receipt] = loop.create_future()
        self.take(draft, answer, loop.time() + DEADLINE_SECONDS)
        return answer

    def take(self, draft: Draft, answer: Answer, deadline: float) -> None:
        """As `put`, for who has their own answer, and waits already."""
        self._put(draft, answer, deadline)
        if self._task is None and self._waiting:
            self._task = asyncio.get_running_loop().create_task(self._work())

    def _put(self, draft: Draft, answer: Answer, deadline: float) -> None:
        key = draft.key
        waiting = self._waiting.get(key) or self._under_way.get(key)
        if waiting is None and len(self._waiting) < WAITING_MAX:
            waiting = self._waiting[key] = Waiting(draft, key, deadline)
        if waiting is None:
            answer.set_exception(unavailable())
        elif waiting.draft.body == draft.body:
            waiting.answers.append(answer)
        elif len(self._rivals) < RIVALS_MAX:
            # Another text under an id that waits. Which of the two counts is not known before that
            # one is stored; it may well be this one, said again.
            self._rivals.append((draft, answer, deadline))
        else:
            answer.set_exception(conflict())

    def _judge_rivals(self) -> None:
        rivals, self._rivals = self._rivals, []
        for draft, answer, deadline in rivals:
            if answer.done():
                continue
            if asyncio.get_running_loop().time() < deadline:
                self._put(draft, answer, deadline)
            else:
                answer.set_exception(unavailable())

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self.filling.wait()
                self._under_way = self._next()
                if batch := list(self._under_way.values()):
                    await self._take(batch)
                    self._under_way = {}
                    self.filling.stored(len(batch))
                    written.BATCHES.observe(len(batch))
                if self._rivals:
                    self._judge_rivals()
        finally:
            self._task = None

    def _next(self) -> dict[Key, Waiting]:
        """The first of those that wait, as many as go together."""
        self._give_up_late(self._waiting)  # we may have stood still
        return {key: self._waiting.pop(key) for key in list(self._waiting)[:BATCH_MAX]}

    async def _take(self, batch: list[Waiting]) -> None:
        self._late = asyncio.get_running_loop().call_at(batch[0].deadline, self._refuse_late)
        try:
            await self._store(batch)
        except Exception as error:  # a fault of ours: nobody waits for ever because of it
            logger.exception("a batch failed")
            self._give_up(batch, error)
        finally:
            self._late.cancel()

    def _refuse_late(self) -> None:
        """Nobody waits for longer because a batch is stuck: neither in it, where it may be stored
        all the same (who says it again is then told so), nor behind it."""
        self._give_up_late(self._under_way)
        self._give_up_late(self._waiting)
        self._judge_rivals()
        self._late = asyncio.get_running_loop().call_later(LATE_SECONDS, self._refuse_late)

    def _give_up_late(self, queue: dict[Key, Waiting]) -> None:
        now = asyncio.get_running_loop().time()
        if late := [key for key, waiting in queue.items() if waiting.deadline <= now]:
            why = f"no answer in time; {self._trouble}" if self._trouble else "no answer in time"
            self._give_up([queue.pop(key) for key in late], why)

    async def _store(self, batch: list[Waiting]) -> None:
        """As if each of them may be stored, which is nearly always so; else each is judged."""
        if asyncio.get_running_loop().time() < self._judge_until:
            await self._judge(batch)
            return
        try:
            rows = await self._commit(batch, log.POST)
        except WRONG:
            self._judge_until = asyncio.get_running_loop().time() + JUDGE_SECONDS
            await self._judge(batch)
        except psycopg.errors.LockNotAvailable:
            await self._store_free(batch)
        except (psycopg.Error, OSError) as error:
            self._give_up(batch, error)
        else:
            stored, others = numbered(batch, rows)
            self._answer(stored)
            if others:
                await self._judge(others)

    async def _judge(self, batch: list[Waiting]) -> None:
        try:
            rows = await self._commit(batch, log.POST_AGAIN)
        except psycopg.errors.UniqueViolation:  # stored by another process just now
            await self._judge(batch)
        except psycopg.errors.LockNotAvailable:
            await self._store_free(batch)
        except (psycopg.Error, OSError) as error:
            self._give_up(batch, error)
        else:
            judged = list(zip(batch, map(Outcome._make, rows), strict=True))
            stored = [(one, found) for one, found in judged if found.is_ours]
            self._answer([(one, found.receipt(one.draft)) for one, found in stored])
            for one, found in judged:
                if not found.is_ours:
                    one.refuse(refusal(found))

    async def _store_free(self, batch: list[Waiting]) -> None:
        """Somebody holds a room's row for too long: the other rooms don't wait for it."""
        asked = list({waiting.draft.room_id for waiting in batch})
        assert self._connection is not None
        try:
            rows = await run(self._connection, log.FREE, {"rooms": arrays.of_numbers(asked)})
        except (psycopg.Error, OSError) as error:
            self._give_up(batch, error)
            return
        free = {room_id for (room_id,) in rows}
        busy = [waiting for waiting in batch if waiting.draft.room_id not in free]
        self._give_up(busy, "another holds the room")
        if others := [waiting for waiting in batch if waiting.draft.room_id in free]:
            await self._store(others)

    def _give_up(self, batch: list[Waiting], why: object) -> None:
        still = [waiting for waiting in batch if waiting.is_open]
        if still:
            said = first_line(why) if isinstance(why, BaseException) else why
            logger.warning("%s messages not stored: %s", len(still), said)
        for waiting in still:
            self._settled(waiting)
            waiting.refuse(unavailable())

    def _settled(self, waiting: Waiting) -> None:
        """Others of its batch may still be judged: who sends it again meanwhile asks anew."""
        self._under_way.pop(waiting.key, None)

    async def _commit(self, batch: list[Waiting], statement: str) -> list[tuple[Any, ...]]:
        """Run the statement until its outcome is known, or the last sender's deadline is over."""
        params = log.post_params([waiting.draft for waiting in batch])
        deadline, self._trouble = batch[-1].deadline, ""
        loop = asyncio.get_running_loop()
        while True:
            try:
                if self._connection is None:
                    self._connection = await connect(SESSION, deadline)
                return await run(self._connection, statement, params, deadline)
            except ANSWERS:
                raise
            except (psycopg.OperationalError, OSError) as error:
                await self._disconnect()
                self._trouble = first_line(error)
                if loop.time() >= deadline:
                    raise
                logger.debug("storing again: %s", error)
                await asyncio.sleep(0.05)  # a server that restarts refuses at once
            except BaseException:
                await self._disconnect()
                raise

    def _answer(self, stored: "list[tuple[Waiting, Receipt]]") -> None:
        """A repeat is answered even to who left since: it was stored."""
        if not stored:
            return
        events: list[Event] = []
        # Before the answers, which are said when their turn of the loop ends: so who sent a line
        # gets it in one write with the answer, after that.
        asyncio.get_running_loop().call_soon(self._stored, events)
        for waiting, receipt in stored:
            room_id, sender, client_id, body = waiting.draft
            self._under_way.pop(waiting.key, None)
            waiting.answer(receipt)
            if not receipt.repeated:
                seq, at = receipt.seq, receipt.at
                events.append(Event(room_id, seq, MESSAGE, at, sender, client_id, body))
        if events and writable.is_down:
            writable.answered()
        now = asyncio.get_running_loop().time() + DEADLINE_SECONDS
        written.answered(len(events), [now - waiting.deadline for waiting, _ in stored])

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def speakers(self, room_id: int) -> dict[int, Answer]:
        """People with messages in the room that wait, and the last answer each waits for."""
        found: dict[int, Answer] = {}
        for queue in (self._under_way, self._waiting):
            for (room, sender, _), waiting in queue.items():
                if room == room_id:
                    found[sender] = waiting.answers[-1]
        for draft, answer, _ in self._rivals:
            if draft.room_id == room_id:
                found[draft.sender.id] = answer
        return found

    @property
    def waiting(self) -> int:
        return len(self._waiting) + len(self._under_way)

    async def idle(self) -> None:
        """Wait until all that waited were answered."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def close(self) -> None:
        """Answer all that wait, then go."""
        await self.idle()
        await self._disconnect()
