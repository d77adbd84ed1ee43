"""Whose session has ended has no socket: checked for all of this process's sockets at once.

A sign-out deletes its session, a new password makes the others' hashes wrong, a deactivated
person has none. Asking the database every CHECK_SECONDS needs no message that could be lost.
"""

import asyncio
import logging
from typing import NamedTuple, Protocol

from messaging import queries
from messaging.database import Reads, Unavailable
from presence.tasks import end

log = logging.getLogger(__name__)

CHECK_SECONDS = 1.5


class Proof(NamedTuple):
    """What a socket was opened with: its session, and the person's password hash of then."""

    session: str
    user_id: int
    password: str


class Socket(Protocol):
    proof: Proof

    def sign_out(self) -> None: ...


class Sessions:
    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._sockets: set[Socket] = set()
        self._task: asyncio.Task[None] | None = None

    def add(self, socket: Socket) -> None:
        self._sockets.add(socket)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._watch())

    def drop(self, socket: Socket) -> None:
        self._sockets.discard(socket)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                await self.check()
            except Unavailable:
                log.info("the sessions are checked when the database answers")
            except Exception:  # the watch must outlive whatever it meets
                log.exception("checking the sessions failed")

    async def check(self) -> None:
        """Close the sockets whose proof is worth nothing any more. Raises Unavailable."""
        sockets = list(self._sockets)
        if not sockets:
            return
        rows = await self._reads.rows(
            queries.SESSIONS,
            sessions=[socket.proof.session for socket in sockets],
            users=[socket.proof.user_id for socket in sockets],
            passwords=[socket.proof.password for socket in sockets],
        )
        for socket, (is_valid,) in zip(sockets, rows, strict=True):
            if not is_valid:
                socket.sign_out()

    async def close(self) -> None:
        if self._task is not None:
            await end(self._task)
