"""Commands come in by a topic, in its order, each done once.

Some records are taken at once, and go to the writer together: it stores them by one statement. Only
when all of them are answered, and what was refused is told, their offsets are committed. Whatever
fails before that, they are read again, and their ids make that harmless.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.breaker import Breaker
from core.postgresql.breaker import is_outage
from core.text import first_line
from interfaces.kafka import clients, commands, topics
from interfaces.kafka.clients import KafkaError, KafkaException, Message, TopicPartition
from interfaces.kafka.commands import PostCommand
from messaging import services
from messaging.live import node
from messaging.live.drafts import Receipt
from messaging.log.event import Person

RECORDS_MAX = 200  # at once; fewer than a statement of the writer takes: none overtakes another
WAIT_SECONDS = 0.5  # for the first one, before somebody may want us to end
AGAIN_SECONDS = 1.0  # after what was not possible
SESSION_MILLISECONDS = 6_000  # after a death; the least that brokers take as they come
TOLD_SECONDS = 10.0  # for refusals to be written
NOBODY = _("There is no such person, or they may not sign in.")

Answer = TypeVar("Answer")
Refused = ValidationError | PermissionDenied

logger = logging.getLogger(__name__)


class NotNow(Exception):
    """Some could not be stored, and nobody is to blame."""


def group() -> str:
    return f"chattalk-ingest-{settings.KAFKA_COMMANDS_TOPIC}"


class Ingest:
    """Belongs to one event loop. Kafka and Django are asked in a thread."""

    def __init__(self) -> None:
        self._ended = asyncio.Event()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="ingest")
        self._consumer = clients.consumer(group_id=group(), session_timeout_ms=SESSION_MILLISECONDS)
        self._producer = clients.producer()
        self._kafka = Breaker("Kafka is away", "Kafka is back")
        self._postgresql = Breaker("commands wait for PostgreSQL", "commands are done again")
        self.stored = self.repeated = self.refused = 0

    async def run(self) -> None:
        """Until `end`."""
        self._consumer.subscribe([settings.KAFKA_COMMANDS_TOPIC])
        try:
            while not self._ended.is_set():
                await self._turn()
        finally:
            await self._ask(self._consumer.close)
            self._threads.shutdown()
            await node.close()

    def end(self) -> None:
        """After the records that are under way."""
        self._ended.set()

    async def _turn(self) -> None:
        found: list[Message] = []
        try:
            found = await self._ask(self._next)
            if found:
                await self._do(found)
                self._kafka.answered()
                self._postgresql.answered()
        except Exception as error:
            self._failed(error)
            await self._ask(lambda: self._rewind(found))
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_SECONDS):
                    await self._ended.wait()

    def _next(self) -> list[Message]:
        """The error that comes among records is told after them: it comes again."""
        first = self._consumer.poll(WAIT_SECONDS)
        told = [] if first is None else [first, *self._consumer.consume(RECORDS_MAX - 1, 0)]
        found = [message for message in told if message.error() is None]
        if told and not found:
            raise KafkaException(told[0].error())
        return found

    # --- what is done -------------------------------------------------------------------------

    async def _do(self, found: Sequence[Message]) -> None:
        refusals: list[tuple[Message, Refused]] = []
        asked: list[tuple[Message, PostCommand]] = []
        for message in found:
            try:
                asked.append((message, commands.read(message.value())))
            except ValidationError as error:
                refusals.append((message, error))
        people = await self._ask(lambda: _people({command.sender for _message, command in asked}))
        answers = await asyncio.gather(
            *(_post(message, command, people) for message, command in asked)
        )
        for (message, _command), answer in zip(asked, answers, strict=True):
            if not isinstance(answer, Receipt):
                refusals.append((message, answer))
        if passing := [error for _message, error in refusals if _is_passing(error)]:
            raise NotNow(first_line(passing[0]))
        await self._ask(lambda: self._settle(found, refusals))
        receipts = [answer for answer in answers if isinstance(answer, Receipt)]
        self.repeated += sum(receipt.repeated for receipt in receipts)
        self.stored += sum(not receipt.repeated for receipt in receipts)
        self.refused += len(refusals)

    def _settle(self, found: Sequence[Message], refusals: list[tuple[Message, Refused]]) -> None:
        """Tell what was refused, and only then say that all of it is done."""
        failed: list[KafkaError] = []

        def written(error: KafkaError | None, _message: Message) -> None:
            failed.extend([error] if error else [])

        for message, refused in sorted(refusals, key=lambda one: _where(one[0])):
            told = commands.refusal(_where(message), refused)
            self._producer.produce(topics.refusals(), told, message.key(), on_delivery=written)
        if self._producer.flush(TOLD_SECONDS):
            failed.append(KafkaError(KafkaError._TIMED_OUT))
        if failed:
            raise KafkaException(failed[0])
        places = [_where(one) for one in found]
        ends = {(topic, partition): offset + 1 for topic, partition, offset in places}
        offsets = [TopicPartition(*partition, offset) for partition, offset in ends.items()]
        self._consumer.commit(offsets=offsets, asynchronous=False)

    def _rewind(self, found: Iterable[Message]) -> None:
        """They come again; if their partition is another's by now, to that one."""
        first: dict[tuple[str, int], int] = {}
        for one in found:
            topic, partition, offset = _where(one)
            first.setdefault((topic, partition), offset)
        for where, offset in first.items():
            try:
                self._consumer.seek(TopicPartition(*where, offset))
            except KafkaException as error:
                logger.info("%s is left to who has it now: %s", where, clients.sentence(error))

    async def _ask(self, function: Callable[[], Answer]) -> Answer:
        def asked() -> Answer:
            try:
                return function()
            finally:
                connection.close()

        return await asyncio.get_running_loop().run_in_executor(self._threads, asked)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, NotNow) or is_outage(error):
            self._postgresql.failed(error)
        elif isinstance(error, KafkaException):
            self._kafka.failed(clients.sentence(error))
        else:
            logger.error("commands failed, and are read again", exc_info=error)


def _people(ids: set[int]) -> dict[int, str]:
    """Those of them who may speak."""
    return dict(User.objects.filter(pk__in=ids, is_active=True).values_list("pk", "display_name"))


async def _post(
    message: Message, command: PostCommand, people: dict[int, str]
) -> Receipt | Refused:
    if command.sender not in people:
        return ValidationError(NOBODY, code=commands.UNKNOWN_SENDER)
    sender = Person(command.sender, people[command.sender])
    try:
        return await services.apost(
            command.room, sender, command.body, commands.cid(*_where(message)), is_limited=False
        )
    except (ValidationError, PermissionDenied) as error:
        return error


def _is_passing(error: Refused) -> bool:
    return getattr(error, "code", "") == "unavailable"


def _where(message: Message) -> tuple[str, int, int]:
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None and partition is not None and offset is not None, "an error has none"
    return topic, partition, offset
