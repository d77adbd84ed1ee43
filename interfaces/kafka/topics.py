"""The topics that ours are, and whether they are as they must be."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from interfaces.kafka import clients
from interfaces.kafka.clients import (
    ANSWER_SECONDS,
    ConfigResource,
    KafkaError,
    KafkaException,
    ResourceType,
)

BYTES_MIN = 1_048_588  # max.message.bytes: Kafka's default, and what a full batch may have


Record = tuple[bytes | None, bytes | None]


class UnfitTopic(Exception):
    """A topic is not there, or not as it must be. The text says what to do."""


def positions() -> str:
    return f"{settings.KAFKA_TOPIC}.positions"


def refusals() -> str:
    return f"{settings.KAFKA_COMMANDS_TOPIC}.refusals"


def check(*names: str) -> None:
    """Raises UnfitTopic or KafkaException."""
    admin = clients.admin()
    there = clients.topics(admin)
    if missing := [name for name in names if name not in there or there[name].error]:
        raise UnfitTopic(
            f"Kafka has no topic {missing[0]}, or this user may not see it: make it, or let "
            "--make-topics do it."
        )
    for name, found in _configs(admin, names).items():
        _check(name, found)


def _check(name: str, found: dict[str, str]) -> None:
    if name == positions() and found["cleanup.policy"] != "compact":
        raise UnfitTopic(
            f"The topic {name} has cleanup.policy={found['cleanup.policy']}: it forgets how far "
            "rooms were relayed, and they would be relayed twice. Set it to compact."
        )
    if (most := int(found["max.message.bytes"])) < BYTES_MIN:
        raise UnfitTopic(
            f"The topic {name} takes {most} bytes at once (max.message.bytes): "
            f"set it to {BYTES_MIN}, Kafka's default, or more."
        )


def _configs(admin: Any, names: tuple[str, ...]) -> dict[str, dict[str, str]]:
    asked = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    answers = admin.describe_configs(asked, request_timeout=ANSWER_SECONDS)
    return {
        resource.name: {name: entry.value for name, entry in answer.result().items()}
        for resource, answer in answers.items()
    }


def make(*names: str) -> list[str]:
    """Those that are missing, with the broker's own numbers of partitions and copies."""
    admin = clients.admin()
    there = clients.topics(admin)
    missing = [name for name in names if name not in there]
    compacted = {positions(): {"cleanup.policy": "compact"}}
    asked = [clients.NewTopic(name, config=compacted.get(name, {})) for name in missing]
    if asked:
        for made in admin.create_topics(asked, request_timeout=ANSWER_SECONDS).values():
            made.result()
    return missing


def read_to_end(topic: str) -> Iterator[Record]:
    """Keys and values of all that is committed in it, in the order of each partition."""
    reading = clients.consumer(group_id="chattalk-relay", enable_partition_eof=True)
    try:
        found = reading.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic]
        if found.error:
            raise KafkaException(found.error)
        open_ones = set(found.partitions)
        reading.assign([clients.TopicPartition(topic, number, 0) for number in open_ones])
        yield from _messages(reading, open_ones)
    finally:
        reading.close()


def _messages(reading: clients.Consumer, open_ones: set[int]) -> Iterator[Record]:
    while open_ones:
        message = reading.poll(ANSWER_SECONDS)
        if message is None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        error = message.error()
        if error is None:
            yield message.key(), message.value()
        elif error.code() == KafkaError._PARTITION_EOF:
            open_ones.discard(message.partition())
        elif error.code() != KafkaError.GROUP_AUTHORIZATION_FAILED:  # nobody here is in a group
            raise KafkaException(error)
