import asyncio
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from chattalk.status.minutes import Minutes
from interfaces.kafka import schema

if TYPE_CHECKING:
    from interfaces.kafka.relay import Relay


class Command(BaseCommand):
    help = (
        "Write every line of every room to Kafka, each once and in the order of its room, until "
        "Ctrl-C or SIGTERM (docs/kafka.md)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("--once", action="store_true", help="catch up, and end")
        add("--make-topics", action="store_true", help="make topics that are missing")
        add("--schema", metavar="FILE", help="write the schema of the records there, and end")
        add(
            "--skip-to-head",
            metavar="ROOM",
            type=int,
            help="let a room that was stopped go on with what is said from now on, and end",
        )

    def handle(self, *args: Any, make_topics: bool, **options: Any) -> None:
        if options["schema"]:
            Path(options["schema"]).write_text(schema.text(), "utf-8")
            return
        from interfaces.kafka import running, topics  # they need confluent-kafka

        running.prepare(self, (settings.KAFKA_TOPIC, topics.positions()), make_topics)
        asyncio.run(self._work(**options))

    async def _work(self, *, once: bool, skip_to_head: int | None, **_options: Any) -> None:
        from interfaces.kafka import clients, gauges
        from interfaces.kafka.relay import Relay, Taken

        relay = Relay()
        try:
            if skip_to_head is not None:
                await self._skip(relay, skip_to_head)
            elif once:
                self.stdout.write(f"Relayed {await relay.run_once():,} lines.")
            else:
                gauges.show(relay.copying.progress)
                await self._run(relay)
        except Taken:
            raise CommandError("Another relay works: end it first.") from None
        except clients.KafkaException as error:
            raise CommandError(clients.sentence(error)) from error

    async def _run(self, relay: "Relay") -> None:
        """Its minutes stand on the status page."""
        from interfaces.kafka import running

        minutes = Minutes()
        minutes.start()
        try:
            await running.run(relay)
        finally:
            await minutes.close()

    async def _skip(self, relay: "Relay", room: int) -> None:
        if not await relay.skip_to_head(room):
            raise CommandError(f"There is no room {room}.")
        self.stdout.write(f"Room {room} goes on with what is said from now on.")
