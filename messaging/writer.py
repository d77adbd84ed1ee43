"""Group commit: all messages that wait in this process are stored by one statement.

Alone when idle, together under load: while one batch is on its way to the disk the next one
gathers. A sender is answered after COMMIT. A statement whose outcome is unknown (the connection
broke) is simply run again: the client ids make that harmless.
"""

import asyncio
import logging
from asyncio import Future
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext_lazy as _

from messaging import queries
from messaging.database import connect, run
from messaging.wire import Event, Person

log = logging.getLogger(__name__)

TOGETHER = 500  # messages per statement
WAITING_MAX = 10_000  # messages; more are refused at once
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


class Waiting(NamedTuple):
    draft: Draft
    future: "Future[Receipt]"
    deadline: float


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
        twin = self._waiting.get(draft.key) or self._under_way.get(draft.key)
        if twin:
            return self._join(twin, draft)
        loop = asyncio.get_running_loop()
        future: Future[Receipt] = loop.create_future()
        if len(self._waiting) >= WAITING_MAX:
            future.set_exception(unavailable())
            return future
        self._waiting[draft.key] = Waiting(draft, future, loop.time() + PATIENCE_SECONDS)
        if self._task is None:
            self._task = loop.create_task(self._work())
        return future

    def _join(self, twin: Waiting, draft: Draft) -> "Future[Receipt]":
        """The same message again while the first is on its way: one row, two answers."""
        answer: Future[Receipt] = asyncio.get_running_loop().create_future()
        if twin.draft.body != draft.body:
            answer.set_exception(conflict())
            return answer

        def copy(first: "Future[Receipt]") -> None:
            if answer.done():
                return
            if error := first.exception():
                answer.set_exception(error)
            else:
                answer.set_result(first.result()._replace(repeated=True))

        twin.future.add_done_callback(copy)
        return answer

    async def _work(self) -> None:
        try:
            while self._waiting:
                keys = list(self._waiting)[:TOGETHER]
                self._under_way = {key: self._waiting.pop(key) for key in keys}
                await self._store(list(self._under_way.values()))
                self._under_way = {}
        finally:
            self._task = None

    async def _store(self, batch: list[Waiting]) -> None:
        try:
            rows = await self._commit(batch)
        except (psycopg.Error, TimeoutError, OSError) as error:
            log.warning("%s messages not stored: %s", len(batch), error or type(error).__name__)
            for waiting in batch:
                _refuse(waiting.future, unavailable())
            return
        self._answer(batch, rows)

    async def _commit(self, batch: list[Waiting]) -> list[tuple[Any, ...]]:
        """Run the statement until its outcome is known, or the last sender's patience ends."""
        params = queries.post_params([waiting.draft for waiting in batch])
        deadline = batch[-1].deadline
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    if self._connection is None:
                        self._connection = await connect()
                    return await run(self._connection, queries.POST, params)
            except psycopg.errors.UniqueViolation:
                continue  # another process stored one of these ids meanwhile: now it is known
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
        for (draft, future, _deadline), row in zip(batch, rows, strict=True):
            is_member, is_closed, seq, at, repeated, same = row
            if not is_member:
                _refuse(future, not_member())
            elif not same:
                _refuse(future, conflict())
            elif seq is None:
                assert is_closed
                _refuse(future, ValidationError(_("This room is closed."), code="room_closed"))
            else:
                if not repeated:
                    event = Event(draft.room_id, seq, "message", at, draft.sender)
                    event.cid, event.body = draft.client_id, draft.body
                    events.append(event)
                if not future.done():
                    future.set_result(Receipt(draft.room_id, draft.client_id, seq, at, repeated))
        if events:  # the answers first: they were scheduled before this
            asyncio.get_running_loop().call_soon(self._stored, events)

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def close(self) -> None:
        """Answer all that wait, then go."""
        if self._task is not None:
            await self._task
        await self._disconnect()


def _refuse(future: "Future[Receipt]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
