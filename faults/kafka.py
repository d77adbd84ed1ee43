"""A real Kafka broker beside the site, what runs between the two, and what it was told."""

import asyncio
import json
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from bench import kafka
from faults import until
from faults.run import Absent, Run
from faults.site import HOME, ROOT, Site

START_WITHIN = 30.0  # seconds
CAUGHT_UP_WITHIN = 60.0  # seconds; then what is not there counts as lost
QUIET_SECONDS = 1.0  # what comes twice comes by then
SEND_EVERY = 0.02  # seconds, so that each death finds something under way
LINES = "SELECT room_id, seq, coalesce(client_id::text, '') FROM messaging_event"


class Relayed(NamedTuple):
    """A line as a reader of Kafka has it."""

    room: int
    seq: int
    cid: str


class Beside:
    """The broker, and one command of manage.py that works between it and the site."""

    def __init__(self, site: Site, command: str) -> None:
        from chattalk.embedded import Process

        home, log = HOME / "kafka", HOME / "data" / "log" / f"{command}.log"
        shutil.rmtree(home, ignore_errors=True)
        log.unlink(missing_ok=True)
        self.broker = kafka.Kafka(home)
        self.site = site
        self.command = Process(
            command,
            [sys.executable, str(ROOT / "manage.py"), command, "--make-topics"],
            log=log,
            folder=ROOT,
        )

    async def start(self) -> None:
        """Not all of it in the loop, which is the command's way to the stores."""
        await asyncio.to_thread(self.broker.format)
        self.broker.start()
        await asyncio.to_thread(self.broker.wait)
        self.start_command()
        if not await until(lambda: "Made the topic" in self._said(), START_WITHIN):
            raise Absent(f"manage.py {self.command.name} does not start: {self._said()}")

    def _said(self) -> str:
        return self.command.log.read_text() if self.command.log else ""

    def start_command(self) -> None:
        self.command.start(self.site.environment | {"KAFKA_URL": self.broker.url})

    def kill_command(self, run: Run) -> None:
        """Another one is started at once, as a supervisor does it."""
        run.nemesis.begin("kill -9", self.command.name)
        self.command.signal(signal.SIGKILL)
        self.command.wait()
        self.start_command()
        run.nemesis.end("kill -9", self.command.name)

    async def kill_broker(self, run: Run) -> None:
        run.nemesis.begin("kill -9", "kafka")
        self.broker.kill9()
        self.broker.start()
        await asyncio.to_thread(self.broker.wait)
        run.nemesis.end("kill -9", "kafka")

    async def stop(self) -> None:
        await asyncio.to_thread(self.command.stop)
        await asyncio.to_thread(self.broker.stop)

    # --- the verdict ----------------------------------------------------------------------------

    async def read(self, topic: str, many: int = 0) -> list[dict[str, Any]]:
        """All that is committed: so many, if they come in time, and what comes after them."""
        return await asyncio.to_thread(self._read, topic, many)

    def _read(self, topic: str, many: int) -> list[dict[str, Any]]:
        reading = self._reader(topic)
        found: list[dict[str, Any]] = []
        until = time.monotonic() + (CAUGHT_UP_WITHIN if many else QUIET_SECONDS)
        while time.monotonic() < until:
            message = reading.poll(0.1)
            if message is not None and message.error() is None:
                found.append(json.loads(message.value() or b""))
                if len(found) == many:
                    until = time.monotonic() + QUIET_SECONDS
        reading.close()
        return found

    def _reader(self, topic: str) -> Any:
        from confluent_kafka import Consumer, TopicPartition

        options = {"isolation.level": "read_committed", "enable.auto.commit": False}
        options |= {"bootstrap.servers": self.broker.address, "group.id": "faults"}
        reading = Consumer(options)
        partitions = reading.list_topics(topic, timeout=10).topics[topic].partitions
        reading.assign([TopicPartition(topic, number, 0) for number in partitions])
        return reading

    async def send(self, topic: str, key: str, values: list[str]) -> None:
        """In this order, whatever happens to the broker."""
        await asyncio.to_thread(self._send, topic, key, values)

    def _send(self, topic: str, key: str, values: list[str]) -> None:
        from confluent_kafka import Producer

        quiet = {"log_level": 0, "enable.idempotence": True}
        producer = Producer({"bootstrap.servers": self.broker.address} | quiet)
        for value in values:
            producer.produce(topic, value, key)
            producer.flush()
            time.sleep(SEND_EVERY)

    async def judge_relayed(self, run: Run) -> None:
        """What is in the database, against what is in Kafka."""
        rows = [Relayed(*row) for row in await asyncio.to_thread(self.site.rows, LINES)]
        told = await self.read("chattalk.lines", len(rows))
        found = [Relayed(one["room"], one["seq"], one.get("cid", "")) for one in told]
        run.counts += verdict(rows, found)
        run.operations["relayed"] += len(found)
        run.note("rows", len(rows))
        run.note("records", len(found))


def verdict(rows: Iterable[Relayed], found: Iterable[Relayed]) -> Counter[str]:
    """`found` in the order of the partitions: so those of a room are in one order."""
    stored, seen = set(rows), Counter(found)
    last: dict[int, int] = {}
    counts = Counter(
        lost_delivery=len(stored - seen.keys()),
        phantom=len(seen.keys() - stored),
        dup_shown=sum(seen.values()) - len(seen),
    )
    for one in seen:
        counts["order_err"] += one.seq < last.get(one.room, 0)
        last[one.room] = one.seq
    return counts


@asynccontextmanager
async def beside(run: Run, command: str) -> AsyncIterator[Beside]:
    if missing := kafka.missing():
        raise Absent(missing)
    made = Beside(run.site, command)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()
