"""What a process tells Prometheus, as a test wants to look at it: {name: {labels: value}}."""

import socket
import time
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

PATIENCE = 20  # seconds

Found = dict[str, dict[frozenset[tuple[str, str]], float]]


def free_ports(many: int) -> int:
    """The first of some in a row; nobody has them just now."""
    for _ in range(50):
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            base = first.getsockname()[1]
        try:
            for port in range(base, base + many):
                with socket.socket() as one:
                    one.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            continue
        return base
    raise AssertionError("no ports in a row are free")


def at(port: int) -> Found:
    """The port is opened beside the start, and waited for."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                return parsed(answer.read().decode())
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def parsed(text: str) -> Found:
    found: Found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return found


def total(found: Found, name: str, **labels: str) -> float:
    """All samples that have these labels, together."""
    samples = found.get(name, {})
    return sum(value for key, value in samples.items() if key >= frozenset(labels.items()))
