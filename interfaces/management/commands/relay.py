import asyncio
import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = (
        "Write every line of every room to Kafka, each once and in the order of its room, until "
        "Ctrl-C or SIGTERM (docs/kafka.md)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="catch up, and end")
        parser.add_argument(
            "--make-topics", action="store_true", help="make the topics that are missing"
        )

    def handle(self, *args: Any, once: bool, make_topics: bool, **options: Any) -> None:
        if not settings.KAFKA:
            raise ImproperlyConfigured(
                "KAFKA_URL is empty: it says where Kafka is (docs/kafka.md)."
            )
        from interfaces.kafka import clients, topics

        wanted = settings.KAFKA_TOPIC, topics.positions()
        try:
            if make_topics:
                for name in topics.make(*wanted):
                    self.stdout.write(f"Made the topic {name}.")
            topics.check(*wanted)
        except topics.UnfitTopic as unfit:
            raise CommandError(str(unfit)) from unfit
        except clients.KafkaException as error:
            raise CommandError(clients.sentence(error)) from error
        asyncio.run(self._once() if once else self._run())

    async def _run(self) -> None:
        from interfaces.kafka.relay import Relay

        relay = Relay()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, relay.end)
        await relay.run()

    async def _once(self) -> None:
        from interfaces.kafka import clients
        from interfaces.kafka.relay import Relay, Taken

        relay = Relay()
        try:
            many = await relay.run_once()
        except Taken:
            raise CommandError("Another relay works at it.") from None
        except clients.KafkaException as error:
            raise CommandError(clients.sentence(error)) from error
        self.stdout.write(f"Relayed {many:,} lines.")
