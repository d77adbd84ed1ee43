import asyncio
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from interfaces.kafka import schema


class Command(BaseCommand):
    help = (
        "Write every line of every room to Kafka, each once and in the order of its room, until "
        "Ctrl-C or SIGTERM (docs/kafka.md)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="catch up, and end")
        parser.add_argument(
            "--make-topics", action="store_true", help="make topics that are missing"
        )
        parser.add_argument(
            "--schema", metavar="FILE", help="write the schema of the records there, and end"
        )

    def handle(self, *args: Any, once: bool, make_topics: bool, **options: Any) -> None:
        if options["schema"]:
            Path(options["schema"]).write_text(schema.text(), "utf-8")
            return
        from interfaces.kafka import running, topics  # they need confluent-kafka

        running.prepare(self, (settings.KAFKA_TOPIC, topics.positions()), make_topics)
        asyncio.run(self._once() if once else self._run())

    async def _run(self) -> None:
        from interfaces.kafka import gauges, running
        from interfaces.kafka.relay import Relay

        relay = Relay()
        gauges.show(relay.copying.progress)
        await running.run(relay)

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
