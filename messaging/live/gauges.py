"""What this process holds just now, read when it is asked for: by other threads."""

from collections import Counter
from collections.abc import Callable

from core import metrics
from messaging.live import node
from messaging.live.node import Node

Found = Counter[str] | float


def _of_node(name: str, about: str, read: Callable[[Node], Found], label: str = "") -> None:
    """Where nothing is served there is nothing to tell."""

    def found() -> Found | None:
        return read(serving) if (serving := node.running()) else None

    metrics.read(name, about, found, labels=(label,) if label else ())


_of_node(
    "chattalk_sockets",
    "Sockets open, of people who are signed in.",
    lambda serving: Counter(serving.connections.doors()),
    "door",
)
_of_node(
    "chattalk_outbox_bytes",
    "What waits for its clients to read on.",
    lambda serving: serving.connections.unread(),
)
_of_node(
    "chattalk_rooms_held", "Rooms that sockets hear of.", lambda serving: len(serving.hub.feeds)
)
_of_node(
    "chattalk_waiting_messages",
    "Messages that wait to be stored.",
    lambda serving: serving.writer.waiting,
)
