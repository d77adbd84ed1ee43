"""What Prometheus reads of this process: all that core/metrics.py knows, on a port of loopback.

The server is prometheus-client's, in threads: a scrape reads ints, and the event loop goes on. This
is imported only where the settings ask for it.
"""

import logging
import threading
import time
from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    ProcessCollector,
    generate_latest,
    start_http_server,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from core import metrics

LOOPBACK = "127.0.0.1"
AGAIN_SECONDS = 1.0  # between two tries to have the port
RELIEF_SECONDS = 30.0  # for which the process before this one may have it still

logger = logging.getLogger(__name__)


class Collected(Collector):
    """`own`: labels of all samples; they say whose they are."""

    def __init__(self, own: dict[str, str]) -> None:
        self._own = own
        self._process = ProcessCollector(registry=None)  # CPU, memory, open files

    def collect(self) -> Iterable[Metric]:
        families = [*map(_family, metrics.everything()), *self._process.collect()]
        for family in families:
            family.samples = [
                sample._replace(labels=self._own | sample.labels) for sample in family.samples
            ]
        return families


def _family(metric: metrics.Metric) -> Metric:
    if isinstance(metric, metrics.Histogram):
        return _histogram(metric)
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(metric.name, metric.about, labels=metric.labels)
    for key, value in metric.values().items():
        family.add_metric(key, value)
    return family


def _histogram(metric: metrics.Histogram) -> Metric:
    """Prometheus has each bucket with all that is below it."""
    buckets, many = [], 0.0
    for (bound,), count in metric.values().items():
        many += count
        buckets.append((bound, many))
    family = HistogramMetricFamily(metric.name, metric.about)
    family.add_metric([], buckets, metric.sum)
    return family


def registry(own: dict[str, str]) -> CollectorRegistry:
    made = CollectorRegistry()
    made.register(Collected(own))
    return made


def page(own: dict[str, str]) -> bytes:
    return generate_latest(registry(own))


def serve(port: int, own: dict[str, str]) -> None:
    """From soon on, to the end of the process. No start waits for it, or fails by it."""
    threading.Thread(target=_serve, args=(port, own), name="metrics", daemon=True).start()


def _serve(port: int, own: dict[str, str]) -> None:
    began, is_told = time.monotonic(), False
    while True:
        try:
            start_http_server(port, LOOPBACK, registry(own))
            return
        except OSError as error:
            if not is_told and time.monotonic() - began >= RELIEF_SECONDS:
                is_told = True
                logger.warning(
                    "The metrics wait for port %s (%s). If another program has it, choose another "
                    "METRICS_PORT.",
                    port,
                    error.strerror,
                )
        time.sleep(AGAIN_SECONDS)
