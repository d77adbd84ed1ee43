"""Group commit: all messages that wait in this process are stored by one statement.

Alone when idle, together under load: while one batch is on its way to the disk the next one
gathers. A sender is answered after COMMIT. A statement whose outcome is unknown (the connection
broke) is simply run again: the client ids make that harmless.
"""

import asyncio
import logging
from asyncio import Future
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext_lazy as _

from messaging import queries
from messaging.database import connect, run
from messaging.wire import Event, Person
from rooms import services as rooms

log = logging.getLogger(__name__)

TOGETHER = 500  # messages per statement
WAITING_MAX = 10_000  # messages; more are refused at once
LOCK_MILLISECONDS = 1000  # for a room's row; others write to it for milliseconds
PATIENCE_SECONDS = 3.0  # then the sender is told to try again


class Draft(NamedTuple):
    room_id: int
    sender: Person
    client_id: UUID
    body: str

    @property
    def key(self) -> tuple[int, int, UUID]:
        return self.room_id, self.sender.id, self.client_id


class Receipt(NamedTuple):
    """The answer to a sender, given after COMMIT."""

    room_id: int
    client_id: UUID
    seq: int
    at: datetime
    repeated: bool


@dataclass
class Waiting:
    draft: Draft
    deadline: float  # of the event loop's clock
    answers: "list[Future[Receipt]]" = field(default_factory=list)

    def answer(self, receipt: Receipt) -> None:
        """Who sent the same again while the first was on its way gets the same, as a repeat."""
        for future in self.answers:
            if not future.done():
                future.set_result(receipt)
            receipt = receipt._replace(repeated=True)

    def refuse(self, error: Exception) -> None:
        for future in self.answers:
            if not future.done():
                future.set_exception(error)


def not_member() -> PermissionDenied:
    return PermissionDenied(_("You are not a member of this room."))


def unavailable() -> ValidationError:
    text = _("The server can't store messages right now. Try again in a moment.")
    return ValidationError(text, code="unavailable", params={"retry_after": 1})


def conflict() -> ValidationError:
    return ValidationError(_("This message id was used for another text."), code="conflict")


class Writer:
    """Belongs to one event loop. `stored` is called with the new events, in order, after the
    senders were answered."""

    def __init__(self, stored: Callable[[list[Event]], None]) -> None:
        self._stored = stored
        self._waiting: dict[tuple[int, int, UUID], Waiting] = {}
        self._under_way: dict[tuple[int, int, UUID], Waiting] = {}
        self._task: asyncio.Task[None] | None = None
        self._connection: psycopg.AsyncConnection[Any] | None = None

    def put(self, draft: Draft) -> "Future[Receipt]":
        """The future answers after COMMIT, or raises PermissionDenied (not a member) or
        ValidationError (conflict, room_closed, unavailable)."""
        loop = asyncio.get_running_loop()
        answer: Future[Receipt] = loop.create_future()
        waiting = self._waiting.get(draft.key) or self._under_way.get(draft.key)
        if waiting is None and len(self._waiting) < WAITING_MAX:
            waiting = self._waiting[draft.key] = Waiting(draft, loop.time() + PATIENCE_SECONDS)
        if waiting is None:
            answer.set_exception(unavailable())
        elif waiting.draft.body != draft.body:
            answer.set_exception(conflict())
        else:
            waiting.answers.append(answer)
        if self._task is None and self._waiting:
            self._task = loop.create_task(self._work())
        return answer

    async def _work(self) -> None:
        try:
            while self._waiting:
                keys = list(self._waiting)[:TOGETHER]
                self._under_way = {key: self._waiting.pop(key) for key in keys}
                batch = list(self._under_way.values())
                try:
                    await self._store(batch)
                except Exception as error:  # a fault of ours: nobody waits for ever because of it
                    log.exception("a batch failed")
                    self._give_up(batch, error)
        finally:
            self._under_way = {}
            self._task = None

    async def _store(self, batch: list[Waiting]) -> None:
        try:
            self._answer(batch, await self._commit(batch))
        except psycopg.errors.LockNotAvailable:
            await self._store_free(batch)
        except (psycopg.Error, OSError) as error:
            self._give_up(batch, error)

    async def _store_free(self, batch: list[Waiting]) -> None:
        """Somebody holds a room's row for too long: the other rooms don't wait for it."""
        asked = list({waiting.draft.room_id for waiting in batch})
        assert self._connection is not None
        try:
            rows = await run(self._connection, queries.FREE, {"rooms": asked})
        except (psycopg.Error, OSError) as error:
            self._give_up(batch, error)
            return
        free = {room_id for (room_id,) in rows}
        busy = [waiting for waiting in batch if waiting.draft.room_id not in free]
        self._give_up(busy, "another holds the room")
        if others := [waiting for waiting in batch if waiting.draft.room_id in free]:
            await self._store(others)

    def _give_up(self, batch: list[Waiting], why: object) -> None:
        if batch:
            log.warning("%s messages not stored: %s", len(batch), why or type(why).__name__)
        for waiting in batch:
            waiting.refuse(unavailable())

    async def _commit(self, batch: list[Waiting]) -> list[tuple[Any, ...]]:
        """Run the statement until its outcome is known, or the last sender's patience ends."""
        params = queries.post_params([waiting.draft for waiting in batch])
        deadline = batch[-1].deadline
        loop = asyncio.get_running_loop()
        while True:
            try:
                if self._connection is None:
                    self._connection = await connect(f"-c lock_timeout={LOCK_MILLISECONDS}")
                return await run(self._connection, queries.POST, params, deadline)
            except psycopg.errors.UniqueViolation:
                continue  # another process stored one of these ids meanwhile: now it is known
            except psycopg.errors.LockNotAvailable:
                raise
            except (psycopg.OperationalError, OSError) as error:
                await self._disconnect()
                if loop.time() >= deadline:
                    raise
                log.info("storing again: %s", error)
                await asyncio.sleep(0.05)  # a server that restarts refuses at once
            except BaseException:
                await self._disconnect()
                raise

    def _answer(self, batch: list[Waiting], rows: list[tuple[Any, ...]]) -> None:
        events = []
        for waiting, row in zip(batch, rows, strict=True):
            draft = waiting.draft
            is_member, is_closed, seq, at, repeated, same = row
            if not same:
                waiting.refuse(conflict())
            elif seq is not None:  # a repeat is answered even to who left since: it was stored
                waiting.answer(Receipt(draft.room_id, draft.client_id, seq, at, repeated))
                if not repeated:
                    event = Event(draft.room_id, seq, "message", at, draft.sender)
                    event.cid, event.body = draft.client_id, draft.body
                    events.append(event)
            elif is_member and is_closed:
                waiting.refuse(rooms.closed())
            else:
                waiting.refuse(not_member())
        if events:  # the answers first: they were scheduled before this
            asyncio.get_running_loop().call_soon(self._stored, events)

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def idle(self) -> None:
        """Wait until all that waited were answered."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def close(self) -> None:
        """Answer all that wait, then go."""
        await self.idle()
        await self._disconnect()
