import asyncio
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = (
        "Do what a topic of Kafka says, each command once and in order, until Ctrl-C or SIGTERM "
        "(docs/kafka.md)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--make-topics", action="store_true", help="make topics that are missing"
        )

    def handle(self, *args: Any, make_topics: bool, **options: Any) -> None:
        from interfaces.kafka import running, topics  # they need confluent-kafka

        names = settings.KAFKA_COMMANDS_TOPIC, topics.refusals()
        running.prepare(self, names, make_topics)
        asyncio.run(self._run())

    async def _run(self) -> None:
        from interfaces.kafka import running
        from interfaces.kafka.ingest import Ingest

        await running.run(Ingest())
