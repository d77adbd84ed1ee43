"""Which of what is counted stands in the store of minutes, and under which names.

chattalk_messages_total                   what was added in that minute
chattalk_closes_total/us/1012             by the values of the labels
chattalk_acknowledgement_seconds/0.005    so many in this bucket; …/sum: all their seconds
chattalk_sockets/ws                       at the end of the minute
"""

from core import metrics
from core.metrics import Histogram, Metric

KEPT = (
    "chattalk_acknowledgement_seconds",
    "chattalk_batch_messages",
    "chattalk_closes_total",
    "chattalk_deliveries_total",
    "chattalk_fanout_seconds",
    "chattalk_follower_lag_lines",
    "chattalk_follower_lag_seconds",
    "chattalk_follower_leads",
    "chattalk_gc_pause_seconds",
    "chattalk_lock_timeouts_total",
    "chattalk_lock_waiters",
    "chattalk_loop_delay_seconds",
    "chattalk_lost_lines_total",
    "chattalk_messages_total",
    "chattalk_outbox_bytes",
    "chattalk_pool_errors_total",
    "chattalk_pool_wait_seconds_total",
    "chattalk_pool_waits_total",
    "chattalk_refusals_total",
    "chattalk_relay_lag_lines",
    "chattalk_relay_lag_seconds",
    "chattalk_relay_rooms_stopped",
    "chattalk_request_seconds",
    "chattalk_requests_total",
    "chattalk_sockets",
    "chattalk_store_state",
    "chattalk_waiting_messages",
    "chattalk_worker_falls_total",
)

Figures = dict[str, float]


def kept() -> list[Metric]:
    return [found for name in KEPT if (found := metrics.named(name))]


def counted() -> Figures:
    """All that only grows, since the start of this process."""
    found: Figures = {}
    for metric in kept():
        if metric.kind != "gauge":
            found |= _named(metric)
        if isinstance(metric, Histogram):
            found[f"{metric.name}/sum"] = metric.sum
    return found


def seen() -> Figures:
    """What is so just now."""
    found: Figures = {}
    for metric in kept():
        if metric.kind == "gauge":
            found |= _named(metric)
    return found


def largest() -> list[str]:
    """Metrics that each worker knows whole: not added up over them."""
    return [metric.name for metric in kept() if metric.over == "max"]


def _named(metric: Metric) -> Figures:
    return {"/".join([metric.name, *key]): float(one) for key, one in metric.values().items()}
