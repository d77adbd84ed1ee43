"""The Redis that tests start: the embedded Valkey; with TEST_REDIS=cluster one of three masters."""

import os
from pathlib import Path

from chattalk.embedded.valkey import Valkey

KINDS = ("", "cluster")


def is_cluster() -> bool:
    kind = os.environ.get("TEST_REDIS", "")
    assert kind in KINDS, f"TEST_REDIS is one of {KINDS}, not {kind!r}"
    return kind == "cluster"


def redis_server(data: Path) -> Valkey:
    """Not started yet. Stores that a test kills come back without what they had, as one server."""
    if not is_cluster():
        return Valkey(data)
    from faults.valkeys import Cluster

    return Cluster(data / "cluster", replicas=0)  # type: ignore[return-value]
