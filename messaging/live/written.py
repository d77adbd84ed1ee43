"""What the writer's work looks like from outside: how many messages, in which batches, how soon."""

from core import metrics

MESSAGES = metrics.counter("chattalk_messages_total", "Messages stored.")
REPEATS = metrics.counter(
    "chattalk_messages_repeated_total", "Messages that were stored before, and said again."
)
ACKNOWLEDGED = metrics.histogram(
    "chattalk_acknowledgement_seconds", "From a message that came in to its answer after COMMIT."
)
BATCHES = metrics.histogram(
    "chattalk_batch_messages",
    "Messages that were stored by one statement.",
    (1, 2, 5, 10, 20, 50, 100, 200, 500),
)


def answered(stored: int, waited: list[float]) -> None:
    """So long each of them waited, in seconds; so many are new, the others were repeats."""
    ACKNOWLEDGED.observe_each(waited)
    MESSAGES.value += stored
    REPEATS.value += len(waited) - stored
