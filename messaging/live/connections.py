"""This process's sockets: who opens them, and a look after all of them every CHECK_SECONDS.

Whose sign-in holds no more (accounts/validity.py) has no socket. Asking the database about all
sockets at once needs no message that could be lost, and says who is called otherwise by now. A
connection that only takes memory is cut; and the others have their heartbeats by the same look, for
thousands of timers are not free.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from typing import Protocol

from django.conf import settings

from accounts import sessions, validity
from accounts.models import User
from accounts.tokens import Identity, Verifier
from accounts.validity import Proof
from core import refusal_log
from core.batching import Batcher
from core.connection_limits import ConnectionLimit, TooMany
from core.postgresql.reads import ANSWER_SECONDS, Reads, Unavailable
from core.tasks import end
from messaging.live.close_codes import Between
from messaging.live.transport import Connection
from messaging.log.event import Person

logger = logging.getLogger(__name__)

CHECK_SECONDS = 1.5
HEARTBEAT_SECONDS = 25.0
PART = 250  # sockets that are looked after in one turn of the loop: all others have theirs between
SETTLE_SECONDS = 0.01  # between two looks at what still waits to be sent, while we stop
BACK_RATE = 300  # sockets a second that come back to processes that are there already
BACK_WITHIN = 0.1, 5.0  # seconds, at least and at most, for all of them to come back


@contextmanager
def _stumbling() -> Iterator[None]:
    """What is done to one socket; if it fails, that costs the others nothing."""
    try:
        yield
    except Exception:
        logger.exception("a socket stumbled")


class Socket(Protocol):
    door: str
    proof: Proof

    @property
    def is_busy(self) -> bool: ...

    @property
    def name(self) -> str: ...

    def rename(self, user: Person) -> None: ...

    def sign_out(self) -> None: ...

    def send_away(self, between: Between | None) -> None: ...

    def is_in(self, rooms: Set[int]) -> bool:
        """Whether it hears of one of them."""

    @property
    def line(self) -> Connection: ...

    def beat(self) -> None: ...


class Connections:
    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self.renamed: Callable[[Person], None] = (
            self.rename
        )  # messaging/live/node.py has more to do
        self.addresses = ConnectionLimit(settings.ADDRESS_SOCKETS)  # kept by the doors
        self.strangers = ConnectionLimit(settings.ADDRESS_STRANGERS)  # of these; by those of STOMP
        self._people = ConnectionLimit(settings.PERSON_SOCKETS)
        self._sockets: dict[Socket, float] = {}  # and when its next heartbeat is due
        self._sessions = sessions.Owners(reads)
        self._owners: Batcher[str, User | None] = Batcher(self._sessions.of, ANSWER_SECONDS)
        self._tokens = Verifier()
        self._holders: Batcher[str, Identity | None] = Batcher(self._tokens.holders, ANSWER_SECONDS)
        self._task: asyncio.Task[None] | None = None
        self._is_over = False  # who comes now is sent away at once
        self._between: Between | None = None  # and comes back then

    def admit(self, address: str) -> bool:
        """One more that has not said who it is; its door gives both places back."""
        if not self.strangers.take(address):
            return False
        if not self.addresses.take(address):
            self.strangers.give_back(address)
            return False
        return True

    def add(self, socket: Socket) -> None:
        """From here on it is looked after. Raises TooMany, of this person's."""
        if not self._people.take(user_id := socket.proof.user_id):
            refusal_log.note("a socket, for they have too many", user_id)
            raise TooMany
        loop = asyncio.get_running_loop()
        self._sockets[socket] = loop.time() + HEARTBEAT_SECONDS
        if self._is_over:
            loop.call_soon(self._send_one_away, socket)
        if self._task is None:
            self._task = loop.create_task(self._watch())

    def drop(self, socket: Socket) -> None:
        if self._sockets.pop(socket, None) is not None:
            self._people.give_back(socket.proof.user_id)

    def doors(self) -> list[str]:
        """By which each of them came; for any thread."""
        return [socket.door for socket in list(self._sockets)]

    def unread(self) -> int:
        """Bytes that wait for their clients to read on; for any thread."""
        return sum(socket.line.unread() for socket in list(self._sockets))

    async def owner(self, session: str) -> User | None:
        """The session's person, looked up at once for all who come at this moment."""
        return await self._owners.ask(session)

    async def holder(self, token: str) -> Identity | None:
        """The same of an access token."""
        return await self._holders.ask(token)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                await self.check_lines(asyncio.get_running_loop().time())
                await self.check_sign_ins()
            except Unavailable:
                logger.debug("sign-ins are checked when the database answers")
            except Exception:  # the watch must outlive whatever it meets
                logger.exception("looking after the sockets failed")

    def _parts(self) -> Iterator[list[Socket]]:
        """Those of now, some at a time, without who has gone when their turn comes."""
        sockets = list(self._sockets)
        for first in range(0, len(sockets), PART):
            if part := [one for one in sockets[first : first + PART] if one in self._sockets]:
                yield part

    async def check_lines(self, now: float) -> None:
        for part in self._parts():
            for socket in part:
                try:  # as `_stumbling`, which took longer than what is looked at
                    self._check_line(socket, now)
                except Exception:
                    logger.exception("a socket stumbled")
            await asyncio.sleep(0)

    def _check_line(self, socket: Socket, now: float) -> None:
        socket.line.check()
        if now >= self._sockets.get(socket, float("inf")):
            self._sockets[socket] = now + HEARTBEAT_SECONDS
            socket.beat()

    async def check_sign_ins(self) -> None:
        """Close the sockets whose proof is worth nothing any more. Raises Unavailable."""
        others: dict[int, str] = {}
        for part in self._parts():
            others |= await self._check_sign_ins(part)
        for user_id, name in others.items():
            self.renamed(Person(user_id, name))

    async def _check_sign_ins(self, sockets: list[Socket]) -> dict[int, str]:
        """The new names of those who are called otherwise by now."""
        asked = validity.hold_params(
            [socket.proof for socket in sockets], [socket.name for socket in sockets]
        )
        others: dict[int, str] = {}
        rows = await self._reads.rows(validity.HOLD, **asked)
        for socket, (is_valid, name) in zip(sockets, rows, strict=True):
            if not is_valid:
                with _stumbling():
                    socket.sign_out()
            elif name is not None:
                others[socket.proof.user_id] = name
        return others

    def rename(self, user: Person) -> None:
        """What this person is called now."""
        for socket in list(self._sockets):
            if socket.proof.user_id == user.id:
                with _stumbling():
                    socket.rename(user)

    async def settled(self) -> None:
        """Wait until what was said to the sockets is with their clients; bound it."""
        while any(socket.is_busy for socket in self._sockets):
            await asyncio.sleep(SETTLE_SECONDS)

    def send_away(self, is_relieved: bool) -> None:
        """All of them, each with a time to come back: soon, where somebody is there for them. And
        so is who was about to come."""
        if is_relieved:
            low, high = BACK_WITHIN
            self._between = 0.0, min(high, max(low, len(self._sockets) / BACK_RATE))
        self._is_over = True
        for socket in list(self._sockets):
            self._send_one_away(socket)

    def _send_one_away(self, socket: Socket) -> None:
        with _stumbling():
            socket.send_away(self._between)

    def send_away_from(self, rooms: Set[int]) -> None:
        """Those who were told lines there that are not in the log any more: coming back, each is
        told what is."""
        for socket in list(self._sockets):
            with _stumbling():
                if socket.is_in(rooms):
                    socket.send_away(None)

    async def close(self) -> None:
        if self._task is not None:
            await end(self._task)
        await self._sessions.close()
        await self._tokens.close()
