"""What a relay does while Kafka is away. Kafka is stood in for; tests on a real one are beside."""

import asyncio
import logging

import pytest
from confluent_kafka import KafkaError, KafkaException
from django.test import override_settings

from interfaces.kafka import relay as module
from interfaces.kafka.relay import Relay
from messaging import log, services
from tests.messaging.followers.test_runner import apart, until

AWAY = KafkaException(KafkaError(KafkaError._TRANSPORT))


class AwayAtTimes:
    """In the place of Kafka."""

    def __init__(self):
        self.has_begun, self.is_away, self.tries, self.lines = False, False, 0, 0
        self.positions = {}

    def begin(self):
        self.tries += 1
        if self.is_away:
            raise AWAY
        self.has_begun = True
        return dict(self.positions)

    def send(self, lines, positions):
        if self.is_away:
            raise AWAY
        self.lines += len(lines)
        self.positions |= positions

    def drop(self):
        self.has_begun = False


@pytest.fixture
def kafka():
    return AwayAtTimes()


@pytest.fixture
async def relay(transactional_db, kafka, monkeypatch):
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.05)
    monkeypatch.setattr(module, "SWEEP_SECONDS", 0.1)
    with override_settings(KAFKA={"bootstrap.servers": "broker:9092"}):
        relay = Relay()
        relay.copying.transactions = kafka
        running = asyncio.create_task(relay.run())
        yield relay
        relay.end()
        await running


async def test_it_says_so_once_tells_its_lag_and_goes_on(relay, kafka, alice, caplog):
    room = await apart(services.open_room, alice, title="Tea", capacity=9)
    await until(lambda: kafka.lines == 1)
    progress = relay.copying.progress
    with caplog.at_level(logging.WARNING, "core.breaker"):
        kafka.is_away = True
        await apart(log.append, room.pk, "message", [alice.pk], "one")
        await until(lambda: kafka.tries > 4 and progress.lag_lines == 1)
        await apart(log.append, room.pk, "message", [alice.pk], "two")
        await until(lambda: progress.lag_lines == 2)
        assert progress.lag_seconds > 0
        kafka.is_away = False
        await until(lambda: kafka.lines == 3)
    assert progress.lag_lines == 0 and progress.lag_seconds == 0
    said = [one.getMessage() for one in caplog.records if "Kafka" in one.getMessage()]
    assert len(said) == 2 and said[1] == "Kafka is back"
    assert "does not answer at broker:9092" in said[0]


async def test_where_it_was_away_when_it_ends_it_ends_all_the_same(relay, kafka):
    await until(lambda: kafka.has_begun)
    kafka.is_away = True
    relay.copying.hint([1])
    relay.end()
