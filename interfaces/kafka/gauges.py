"""How far the relay is behind, for Prometheus: on METRICS_PORT of its process."""

from collections.abc import Callable

from django.conf import settings

from core import metrics
from interfaces.kafka.progress import Progress

_progress: Progress | None = None


def show(progress: Progress) -> None:
    """From now on, of this process."""
    global _progress
    _progress = progress
    if settings.METRICS_PORT:
        from core import exposition  # its library is for those who want it

        exposition.serve(settings.METRICS_PORT, {"worker": "relay"})


def _read(name: str, about: str, read: Callable[[Progress], float]) -> None:
    metrics.read(name, about, lambda: None if _progress is None else read(_progress), over="max")


_read("chattalk_relay_lines_total", "Lines written to Kafka.", lambda one: one.lines)
_read("chattalk_relay_lag_lines", "Lines that Kafka has not yet.", lambda one: one.lag_lines)
_read(
    "chattalk_relay_lag_seconds",
    "For how long there has been such a line.",
    lambda one: one.lag_seconds,
)
_read(
    "chattalk_relay_rooms_stopped",
    "Rooms that are relayed no further, for the log is not what it was.",
    lambda one: one.rooms_stopped,
)
_read(
    "chattalk_relay_missed_total",
    "Lines that were pruned before they were relayed.",
    lambda one: one.missed,
)
