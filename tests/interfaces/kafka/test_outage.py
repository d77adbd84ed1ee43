"""What a relay does while Kafka is away, and ingest while PostgreSQL is. Kafka is stood in for;
tests on a real one are beside."""

import asyncio
import json
import logging
from datetime import UTC, datetime

import pytest
from confluent_kafka import KafkaError, KafkaException
from django.test import override_settings

from interfaces.kafka import clients
from interfaces.kafka import ingest as commands_in
from interfaces.kafka import relay as module
from interfaces.kafka.relay import Relay
from messaging import log, services
from messaging.live.drafts import Receipt, unavailable
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


# --- commands, while PostgreSQL is away -----------------------------------------------------------


class Record:
    def __init__(self, offset, body):
        self._offset = offset
        self._value = json.dumps(
            {"version": 1, "type": "post", "room": 7, "sender": 3, "body": body}
        ).encode()

    def error(self):
        return None

    def topic(self):
        return "commands"

    def partition(self):
        return 0

    def offset(self):
        return self._offset

    def key(self):
        return None

    def value(self):
        return self._value


class Topic:
    """In the place of Kafka's consumer: one partition."""

    def __init__(self, *bodies):
        self.records = [Record(offset, body) for offset, body in enumerate(bodies)]
        self.at, self.committed, self.rewound = 0, 0, 0

    def subscribe(self, _topics):
        pass

    def poll(self, _seconds):
        return next(iter(self.consume(1, 0)), None)

    def consume(self, most, _seconds):
        found = self.records[self.at : self.at + most]
        self.at += len(found)
        return found

    def seek(self, place):
        self.at, self.rewound = place.offset, self.rewound + 1

    def commit(self, offsets, asynchronous):
        [self.committed] = [one.offset for one in offsets]

    def close(self):
        pass


async def test_what_can_not_be_stored_now_is_read_again_in_its_order(monkeypatch, caplog):
    topic, stored, tries = Topic("one", "two", "three"), [], []

    async def apost(_room, _sender, body, _cid, *, is_limited):
        tries.append(body)
        if len(tries) == 2:  # the database goes away, and comes back
            raise unavailable()
        if body not in stored:
            stored.append(body)
        return Receipt(7, _cid, len(stored), datetime.now(UTC), False)

    monkeypatch.setattr(commands_in, "AGAIN_SECONDS", 0.05)
    monkeypatch.setattr(commands_in.services, "apost", apost)
    monkeypatch.setattr(commands_in, "_people", lambda ids: dict.fromkeys(ids, "Alice"))
    monkeypatch.setattr(clients, "consumer", lambda **_options: topic)
    with (
        caplog.at_level(logging.WARNING, "core.breaker"),
        override_settings(KAFKA={"bootstrap.servers": "127.0.0.1:1"}),
    ):
        ingest = commands_in.Ingest()
        running = asyncio.create_task(ingest.run())
        await until(lambda: topic.committed == 3)
        ingest.end()
        await running
    assert topic.rewound == 1 and tries[-3:] == ["one", "two", "three"]
    assert [one.getMessage().split(":")[0] for one in caplog.records] == [
        "commands wait for PostgreSQL",
        "commands are done again",
    ]
    assert (ingest.stored, ingest.refused) == (3, 0)
