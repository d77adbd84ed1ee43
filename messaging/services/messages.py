"""Saying something, and who is here to hear it."""

import asyncio
from asyncio import Future
from collections.abc import Coroutine
from typing import Any, TypeVar
from uuid import UUID, uuid4

from asgiref.sync import async_to_sync

from core import refusal_log
from core.rate_limits import too_fast
from messaging.live import node
from messaging.live.drafts import Answer, Draft, Receipt
from messaging.log.event import Person
from messaging.services import body_text as text

Said = TypeVar("Said")


def apost(
    room_id: int,
    sender: Person,
    body: str,
    client_id: UUID | None = None,
    *,
    is_limited: bool = True,
) -> Future[Receipt]:
    """Say something, on the event loop. The future answers after COMMIT. `is_limited`: whether it
    is counted how often they do so; a door that takes a machine's word for theirs has other limits.

    Raises ValidationError (blank, too_long, bad_text, rate_limited) at once; the future raises
    NotMember or ValidationError (room_closed, conflict, unavailable).
    """
    future: Future[Receipt] = asyncio.get_running_loop().create_future()
    submit(room_id, sender, body, client_id or uuid4(), future, is_limited=is_limited)
    return future


def submit(
    room_id: int,
    sender: Person,
    body: str,
    client_id: UUID,
    answer: Answer,
    *,
    is_limited: bool = True,
) -> None:
    """`apost` for who has their own answer."""
    cleaned = text.clean(body)
    here = node.current()
    if is_limited and (seconds := here.limits.wait(room_id, sender.id, cleaned)):
        refusal_log.note("messages, too often", sender.id)
        raise too_fast(round(seconds, 3))
    here.handover.take(Draft(room_id, sender, client_id, cleaned), answer)


def post(room_id: int, sender: Person, body: str, client_id: UUID | None = None) -> Receipt:
    """`apost` for threads: waits for the commit. Raises what `apost` and its future raise."""

    async def posted() -> Receipt:
        return await apost(room_id, sender, body, client_id)

    return _on_the_loop(posted())


def _on_the_loop(work: Coroutine[Any, Any, Said]) -> Said:
    """Run it where this process's node lives, and wait for it in this thread."""
    serving = node.running()
    if serving is not None:
        return asyncio.run_coroutine_threadsafe(work, serving.loop).result()
    return async_to_sync(_alone)(work)  # no server in this process: a command, a shell


async def _alone(work: Coroutine[Any, Any, Said]) -> Said:
    try:
        return await work
    finally:
        await node.close()


def participants(room_id: int) -> dict[str, Any]:
    """The people here now, for threads: a full `presence` frame of docs/wire.md."""

    async def shown() -> dict[str, Any]:
        return await node.current().presence.snapshot(room_id)

    return _on_the_loop(shown())
