"""The reports of several generators of one talk, as if one had played all the people.

Counts are added up, and histograms bucket by bucket (load.c's --buckets), so a quantile is that of
all deliveries and no mean of means. `busy` is that of the busiest: if one is the bottleneck, all of
the talk is what it could do.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

PER_OCTAVE = 64  # as in histogram.c
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}
COUNTS = ("clients", "rooms", "sent", "acked", "delivered", "completed", "lost", "repeated",
          "disorder", "refused", "closed_early", "stalled_closed", "frames", "bytes", "reads",
          "other_frames")  # fmt: skip
TIMES = ("latency_ms", "last_ms", "joined_ms", "pinged_ms")


def merged(reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    whole = {name: sum(one[name] for one in reports) for name in COUNTS}
    most = {name: max(one[name] for one in reports) for name in ("seconds", "busy")}
    times = {name: _times([one[name] for one in reports]) for name in TIMES}
    return {"wire": reports[0]["wire"], "generators": len(reports), **most, **whole, **times}


def _times(some: Iterable[dict[str, Any]]) -> dict[str, Any]:
    some = list(some)
    buckets: Counter[int] = Counter()
    for one in some:
        buckets.update(dict(one["buckets"]))
    quantiles = {name: quantile_ms(buckets, share) for name, share in QUANTILES.items()}
    return {
        "count": buckets.total(),
        **quantiles,
        "max": max(one["max"] for one in some),
    }


def quantile_ms(buckets: Counter[int], share: float) -> float:
    """As histogram_ms of histogram.c reads it off."""
    wanted, seen = int(share * buckets.total() + 0.5), 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= wanted:
            return _middle(bucket) / 1000
    return 0.0


def _middle(bucket: int) -> float:
    """Microseconds."""
    if bucket < PER_OCTAVE:
        return bucket
    octave = bucket // PER_OCTAVE - 1
    return (PER_OCTAVE + bucket % PER_OCTAVE + 0.5) * (1 << octave)
