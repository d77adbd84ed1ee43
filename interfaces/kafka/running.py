"""What both commands do: see that Kafka and its topics are there, and end in order."""

import asyncio
import signal
from typing import Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from interfaces.kafka import clients, topics


class Endless(Protocol):
    async def run(self) -> None: ...

    def end(self) -> None: ...


def prepare(command: BaseCommand, names: tuple[str, ...], make_topics: bool) -> None:
    """Raises ImproperlyConfigured or CommandError, with what to do."""
    if not settings.KAFKA:
        raise ImproperlyConfigured("KAFKA_URL is empty: it says where Kafka is (docs/kafka.md).")
    try:
        for name in topics.make(*names) if make_topics else ():
            command.stdout.write(f"Made the topic {name}.")
        topics.check(*names)
    except topics.UnfitTopic as unfit:
        raise CommandError(str(unfit)) from unfit
    except clients.KafkaException as error:
        raise CommandError(clients.sentence(error)) from error


async def run(work: Endless) -> None:
    """Until Ctrl-C or SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, work.end)
    await work.run()
