"""A real broker for each file of tests, and the commands that work on it, as processes."""

import io
import json
import logging
import os
import signal
import subprocess
import sys
import time
import warnings
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from django.core.management import call_command
from django.test import override_settings

from bench import kafka
from chattalk.server.workers import ROOT
from interfaces.kafka import address, clients

with warnings.catch_warnings(action="ignore"):  # kafka-python 3.0 reads its files in an old way
    from kafka import KafkaConsumer

logging.getLogger("kafka").setLevel(logging.ERROR)
WITHIN = 60  # seconds, on a machine that has other things to do


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    if (missing := kafka.missing()) and not os.environ.get("CI"):
        pytest.skip(missing)
    broker = kafka.Kafka(tmp_path_factory.mktemp("kafka"))
    broker.format()
    broker.start()
    broker.wait()
    yield broker
    broker.stop()


def until(holds) -> None:
    deadline = time.monotonic() + WITHIN
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Site:
    """The stack's database and a broker, and topics of its own for each test."""

    def __init__(self, stack, broker, folder: Path) -> None:
        self.stack, self.broker, self.folder = stack, broker, folder
        self._producer: Producer | None = None
        name = uuid4().hex
        self.topic, self.commands = f"lines-{name}", f"commands-{name}"
        self.environment = {
            **os.environ,
            **stack.environment,
            "KAFKA_URL": broker.url,
            "KAFKA_TOPIC": self.topic,
            "KAFKA_COMMANDS_TOPIC": self.commands,
        }

    def manage(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """To its end."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def call(self, *words: str, url: str = "") -> str:
        """The command in this thread, which is much quicker; what it said."""
        own = {"KAFKA_TOPIC": self.topic, "KAFKA_COMMANDS_TOPIC": self.commands}
        said = io.StringIO()
        with override_settings(KAFKA=address.parse(url or self.broker.url), **own):
            call_command(*words, stdout=said)
        return said.getvalue()

    def producer(self) -> Producer:
        """Ours."""
        if self._producer is None:
            with override_settings(KAFKA=address.parse(self.broker.url)):
                self._producer = clients.producer()
        return self._producer

    @contextmanager
    def running(self, *words: str):
        """Until the block ends, unless it has ended by then."""
        log = self.folder / f"{words[0]}-{uuid4().hex}.log"
        with log.open("wb") as output:
            child = subprocess.Popen(
                [sys.executable, "manage.py", *words],
                cwd=ROOT, env=self.environment, stdout=output, stderr=output,
            )  # fmt: skip
        child.said = log.read_text
        try:
            yield child
        finally:
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
            assert child.wait(WITHIN) is not None
            print(log.read_text())

    def read(self, room: int, many: int = 0) -> list[dict]:
        """The lines of a room, as far as they are committed, by another client than ours: so many
        and what comes with them, or all that come within a second."""
        return self.read_topic(self.topic, many, lambda one: one["room"] == room)

    def read_topic(self, topic: str, many: int = 0, wanted=lambda one: True) -> list[dict]:
        reading = KafkaConsumer(
            topic,
            bootstrap_servers=self.broker.address,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        found, until = [], time.monotonic() + (WITHIN if many else 1)
        while time.monotonic() < until and (not many or len(found) < many):
            for records in reading.poll(100).values():
                for one in records:
                    value = json.loads(one.value)
                    if wanted(value):
                        found.append(
                            value | {"_partition": one.partition, "_key": one.key.decode()}
                        )
        reading.close()
        return found


@pytest.fixture
def site(stack, broker, tmp_path):
    return Site(stack, broker, tmp_path)
