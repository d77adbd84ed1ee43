"""The one place that knows confluent-kafka: its clients, and what is said of their errors.

It is an extra, and takes a while to load: only `manage.py relay` and `manage.py ingest` come here.
"""

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

try:
    from confluent_kafka import (
        Consumer,
        KafkaError,
        KafkaException,
        Message,
        Producer,
        TopicPartition,
    )
    from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType
except ImportError as missing:
    raise ImproperlyConfigured(
        "confluent-kafka is not installed, which this command needs: "
        "pip install 'chattalk[kafka]', or -r requirements-kafka.txt."
    ) from missing

__all__ = ["ConfigResource", "Consumer", "KafkaError", "KafkaException", "Message", "NewTopic"]
__all__ += ["Producer", "ResourceType", "TopicPartition"]

ANSWER_SECONDS = 10.0
MESSAGE_MILLISECONDS = 20_000  # until a record counts as not written
# Of a dead relay nothing is read for so long, if no other one comes: longer than the above.
TRANSACTION_MILLISECONDS = 30_000

logger = logging.getLogger(__name__)

# What kind of trouble it is, and what to do about it. Whatever else comes is told as it is.
_AWAY = {KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN}
_AWAY |= {KafkaError._RESOLVE, KafkaError._TIMED_OUT_QUEUE, KafkaError._MSG_TIMED_OUT}
_FENCED = {KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH}
_RIGHTS = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "Write and Describe on the topic",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "Write and Describe on the transactional id",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "Read on the consumer group",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "DescribeConfigs on the topic",
}


def producer(transactional_id: str = "") -> Producer:
    options = {
        # As Java's clients do it: so a key is in the same partition, whoever wrote it.
        "partitioner": "murmur2_random",
        "enable.idempotence": True,
        "message.timeout.ms": MESSAGE_MILLISECONDS,
    }
    if transactional_id:
        options["transactional.id"] = transactional_id
        options["transaction.timeout.ms"] = TRANSACTION_MILLISECONDS
    return Producer(_options(options))


def consumer(**options: Any) -> Consumer:
    """Reads what was committed, from the beginning; who reads commits its offsets."""
    return Consumer(
        _options(
            {
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "allow.auto.create.topics": False,
                **{name.replace("_", "."): value for name, value in options.items()},
            }
        )
    )


def admin() -> AdminClient:
    return AdminClient(_options({}))


def topics(client: AdminClient) -> dict[str, Any]:
    """What there is, by name. Raises KafkaException."""
    try:
        return client.list_topics(timeout=ANSWER_SECONDS).topics
    except KafkaException:
        client.poll(0)  # then it says why
        raise


def _options(options: dict[str, Any]) -> dict[str, Any]:
    """What librdkafka would write on the log by itself is told once, by whom it stops."""
    quiet = {"logger": _silent, "error_cb": _note}
    return {"client.id": "chattalk", **settings.KAFKA, **quiet, **options}


_silent = logging.getLogger(f"{__name__}.librdkafka")
_silent.setLevel(logging.CRITICAL + 1)
_latest: KafkaError | None = None  # that a client told by itself: why nobody answers


def _note(error: KafkaError) -> None:
    global _latest
    if error.code() != KafkaError._ALL_BROKERS_DOWN:  # the one before it says why
        _latest = error
    logger.debug("librdkafka: %s", error.str())


def error_of(error: BaseException) -> KafkaError | None:
    first = error.args[0] if isinstance(error, KafkaException) and error.args else None
    return first if isinstance(first, KafkaError) else None


def is_fenced(error: BaseException) -> bool:
    """Another client with the same transactional id has come."""
    found = error_of(error)
    return found is not None and found.code() in _FENCED


def is_away(error: BaseException) -> bool:
    found = error_of(error)
    return found is not None and (found.code() in _AWAY or found.retriable())


def sentence(error: BaseException) -> str:
    """What went wrong, and what to do."""
    found = error_of(error)
    if found is None:
        return f"Kafka's client says: {error}."
    where = settings.KAFKA["bootstrap.servers"]
    if found.code() in _AWAY:
        return f"Kafka does not answer at {where} ({_why(found)}): look at it, and at KAFKA_URL."
    if right := _RIGHTS.get(found.code()):
        return f"Kafka refuses this user ({found.str()}): give it the right {right}."
    if found.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return f"Kafka has no such topic ({found.str()}). Make it, or let --make-topics do it."
    if found.code() == KafkaError.MSG_SIZE_TOO_LARGE:
        return "A record is too large for its topic: set max.message.bytes to 1048588 or more."
    if found.code() == KafkaError._AUTHENTICATION:
        return f"Kafka at {where} does not know this name or password ({found.str()})."
    return f"Kafka says: {found.str()} ({found.name()})."


def _why(found: KafkaError) -> str:
    """The client tells it apart from the answer."""
    return (_latest or found).str()
