"""The relay's producer: lines and places go to Kafka in one transaction, or not at all.

So what was relayed is known from Kafka alone, whatever dies: a transaction that was left open is
ended by `begin` of the next producer with this transactional id, and then the places are read.
"""

import time
from collections.abc import Callable, Iterable, Mapping

from django.conf import settings

from interfaces.kafka import clients, records, topics
from interfaces.kafka.clients import ANSWER_SECONDS, KafkaException, Producer
from interfaces.kafka.records import RelayPosition

COMMIT_SECONDS = 2.0  # between two looks whether somebody wants us to end
COMMIT_MAX_SECONDS = clients.TRANSACTION_MILLISECONDS / 1000  # then the broker has given it up
FULL_SECONDS = 0.1  # for records to leave, while the client takes no more


def transactional_id() -> str:
    return f"chattalk-relay-{settings.KAFKA_TOPIC}"


class Transactions:
    """For one thread. Whatever raises KafkaException leaves it unusable, until `begin`."""

    def __init__(self, is_ending: Callable[[], bool] = lambda: False) -> None:
        self._is_ending = is_ending
        self._producer: Producer | None = None

    @property
    def has_begun(self) -> bool:
        return self._producer is not None

    def begin(self) -> dict[int, RelayPosition]:
        """Fence whoever was here before, and read how far rooms were relayed."""
        self.drop()
        producer = clients.producer(transactional_id())
        producer.init_transactions(ANSWER_SECONDS)
        places = {}
        for key, value in topics.read_to_end(topics.positions()):
            if key and value:
                places[int(key)] = records.read_position(value)
        self._producer = producer
        return places

    def send(
        self, lines: Iterable[tuple[bytes, bytes]], places: Mapping[int, RelayPosition]
    ) -> None:
        assert self._producer is not None
        producer, topic = self._producer, settings.KAFKA_TOPIC
        producer.begin_transaction()
        for key, value in lines:
            self._produce(producer, topic, key, value)
        for room, place in places.items():
            self._produce(producer, topics.positions(), records.key(room), records.position(place))
        self._commit(producer)

    def _produce(self, producer: Producer, topic: str, key: bytes, value: bytes) -> None:
        while True:
            try:
                producer.produce(topic, value, key)
                return
            except BufferError:
                producer.poll(FULL_SECONDS)

    def _commit(self, producer: Producer) -> None:
        """Called again while the broker does not answer: then it is the same commit."""
        until = time.monotonic() + COMMIT_MAX_SECONDS
        while True:
            try:
                producer.commit_transaction(COMMIT_SECONDS)
                return
            except KafkaException as error:
                goes_on = error.args[0].retriable() and not self._is_ending()
                if not goes_on or time.monotonic() > until:
                    raise

    def drop(self) -> None:
        """A transaction that is open is left to who begins next."""
        if self._producer is not None:
            self._producer.purge(blocking=False)
            self._producer = None
