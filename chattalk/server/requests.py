"""What Django answered, and how long that took: with the wait for a thread."""

from core import metrics
from presence.room_state import now_micros

ANSWERED = metrics.labelled("chattalk_requests_total", "Requests by what was answered.", "status")
ANSWERED.add("500", many=0)  # Prometheus sees a growth only from a number on
TOOK = metrics.histogram(
    "chattalk_request_seconds", "From a request that came in to its answer, before that is sent."
)


def note(status: int, asked_at: int) -> None:
    """`asked_at`: as now_micros has it."""
    ANSWERED.add(str(status))
    TOOK.observe(max(0, now_micros() - asked_at) / 1_000_000)  # the clock may be set back
