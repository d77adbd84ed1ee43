"""Every line of every room goes to Kafka: in the order of its log, each once.

A follower of a kind of its own: its effect and its positions are both in Kafka, in one transaction,
so nothing in PostgreSQL has to agree with them. One process works, which holds the lease; another
one stands by. Should two believe to be the one, Kafka fences the first.
"""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar
from uuid import uuid4

from django.conf import settings
from django.db import connection

from core.breaker import Breaker
from core.postgresql.breaker import is_outage
from core.tasks import end
from interfaces.kafka import clients
from interfaces.kafka.copying import Copying
from interfaces.kafka.transactions import Transactions
from messaging.followers.lease import LEASE_SECONDS, RENEW_SECONDS, TRY_SECONDS, Lease
from messaging.live.broker import PEOPLE, Broker

SWEEP_SECONDS = 5.0  # between two looks at the rooms in which something happened lately
WHOLE_SWEEP_SECONDS = 300.0  # and at all rooms, closed ones too
AGAIN_SECONDS = 1.0  # after what was not possible
STAND_BY_SECONDS = 30.0  # after another one has come, who holds no lease that we can see

Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)


def lease_name() -> str:
    return f"relay.{settings.KAFKA_TOPIC}"


class Relay:
    """Belongs to one event loop. The work is done in a thread of its own."""

    def __init__(self) -> None:
        self._ended = asyncio.Event()
        self.copying = Copying(Transactions(self._ended.is_set))
        who = uuid4().hex
        self._lease = Lease(lease_name(), f"{socket.gethostname()}:{os.getpid()}:{who}")
        self._broker = Broker(who, self._heard, self._was_deaf)
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="relay")
        self._woken = asyncio.Event()
        self._kafka = Breaker("Kafka is away", "Kafka is back")
        self._postgresql = Breaker("the relay waits for PostgreSQL", "the relay goes on")
        self._stands_by_until = float("-inf")
        self._swept_at = self._all_swept_at = float("-inf")
        self.leads = False

    async def run(self) -> None:
        """Until `end`."""
        await self._broker.join(PEOPLE)  # first hear, then look: nothing falls between
        holding = asyncio.get_running_loop().create_task(self._hold())
        try:
            while not self._ended.is_set():
                self._woken.clear()
                await self._turn()
        finally:
            await end(holding)
            self.copying.transactions.drop()
            self._threads.shutdown(wait=False)
            await self._lease.release()
            await self._broker.close()

    async def run_once(self) -> int:
        """All that there is now; how many lines that were. Raises what fails, and Taken."""
        await self._alone(self._catch_up)
        return self.copying.progress.lines

    async def skip_to_head(self, room: int) -> bool:
        """As Copying has it. Raises what fails, and Taken."""
        return await self._alone(lambda: self.copying.skip_to_head(room))

    async def _alone(self, work: Callable[[], Answer]) -> Answer:
        def worked() -> Answer:
            self.copying.begin()
            try:
                return work()
            finally:
                self.copying.transactions.drop()

        try:
            await self._take_over()
            return await self._ask(worked)
        finally:
            await self._lease.release()

    async def _take_over(self) -> None:
        """One that died holds its lease for a while."""
        until = time.monotonic() + 2 * LEASE_SECONDS
        while not await self._lease.hold():
            if time.monotonic() > until:
                raise Taken
            await asyncio.sleep(TRY_SECONDS)

    def end(self) -> None:
        """After the step that is under way."""
        self._ended.set()
        self._woken.set()

    # --- who works, and what wakes it ---------------------------------------------------------

    async def _hold(self) -> None:
        while True:
            wants = time.monotonic() >= self._stands_by_until
            leads = wants and await self._lease.hold()
            if leads != self.leads:
                self.leads = leads
                logger.info("this relay works" if leads else "this relay stands by")
                self._woken.set()
            await asyncio.sleep(RENEW_SECONDS if leads else TRY_SECONDS)

    def _heard(self, room_id: int, message: dict[str, Any]) -> None:
        if message["type"] == "grew" and self.leads:
            self.copying.hint(message["rooms"])
            if not message["rooms"]:  # too many to name
                self._swept_at = float("-inf")
            self._woken.set()

    def _was_deaf(self) -> None:
        self._swept_at = float("-inf")
        self._woken.set()

    # --- the work -----------------------------------------------------------------------------

    async def _turn(self) -> None:
        try:
            if not self.leads:
                self.copying.transactions.drop()
                await self._rest(None)
            elif self._is_time_to_sweep():
                await self._broker.catch_up()  # where it could not be joined
                await self._ask(self._sweep)
            elif not await self._ask(self._work):
                await self._rest(self._swept_at + SWEEP_SECONDS - time.monotonic())
        except Exception as error:
            self._failed(error)
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_SECONDS):
                    await self._ended.wait()

    def _work(self) -> bool:
        """In the thread: one step; whether there is more to do."""
        if not self.copying.transactions.has_begun:
            self.copying.begin()
            self._kafka.answered()
            self._swept_at = self._all_swept_at = float("-inf")
            return True
        if self.copying.has_work:
            self.copying.step()
        return self.copying.has_work

    def _is_time_to_sweep(self) -> bool:
        """While Kafka is away, too: so it is known how much waits."""
        is_late = time.monotonic() >= self._swept_at + SWEEP_SECONDS
        return is_late and self.copying.has_begun

    def _sweep(self) -> None:
        now = time.monotonic()
        is_whole = now >= self._all_swept_at + WHOLE_SWEEP_SECONDS
        if is_whole or not self.copying.look_lately():
            self.copying.look_everywhere()
            self._all_swept_at = now
        self._swept_at = now
        self._postgresql.answered()

    def _catch_up(self) -> None:
        self.copying.look_everywhere()
        while self.copying.has_work:
            self.copying.step()

    async def _rest(self, seconds: float | None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(None if seconds is None else max(0.0, seconds)):
                await self._woken.wait()

    async def _ask(self, function: Callable[[], Answer]) -> Answer:
        def asked() -> Answer:
            try:
                return function()
            except BaseException:
                connection.close()  # it may be the one that failed
                raise

        return await asyncio.get_running_loop().run_in_executor(self._threads, asked)

    # --- what is told -------------------------------------------------------------------------

    def _failed(self, error: Exception) -> None:
        """Whatever it was: from where Kafka says that we were, and to all rooms."""
        self.copying.transactions.drop()
        if is_outage(error):
            self._postgresql.failed(error)
        elif clients.is_fenced(error):
            self._stands_by_until = time.monotonic() + STAND_BY_SECONDS
            logger.warning("another relay has taken over: this one stands by")
        elif clients.error_of(error) is not None:
            self._kafka.failed(clients.sentence(error))
        else:
            logger.error("the relay failed, and begins again", exc_info=error)


class Taken(Exception):
    """Another relay works."""
