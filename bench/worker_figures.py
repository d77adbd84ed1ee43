"""What workers say of themselves by /metrics."""

import re
import socket
import urllib.request
from collections.abc import Iterable

BATCHES = re.compile(r"^chattalk_batch_messages_(sum|count)(?:\{[^}]*\})? (\S+)$", re.MULTILINE)
COLLECTIONS = re.compile(
    r"^chattalk_gc_pause_seconds_bucket\{.*?le=\"([^\"]+)\".*?\} (\S+)$", re.MULTILINE
)
FIRST_PORT, LAST_PORT = 20_000, 32_000  # below those that the kernel deals out


def batches(ports: Iterable[int]) -> tuple[float, float]:
    """Messages, and the statements that stored them, so far."""
    found = {"sum": 0.0, "count": 0.0}
    for port in ports:
        for name, value in BATCHES.findall(_page(port)):
            found[name] += float(value)
    return found["sum"], found["count"]


def collections(port: int) -> dict[str, float]:
    """Of garbage, in the worker's life: how many took no longer than so many seconds."""
    return {bound: float(many) for bound, many in COLLECTIONS.findall(_page(port))}


def _page(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
        return str(page.read().decode())


def free_ports(many: int) -> int:
    """The first of so many in a row."""
    for first in range(FIRST_PORT, LAST_PORT, many):
        if all(_is_free(port) for port in range(first, first + many)):
            return first
    raise OSError(f"no {many} free ports in a row from {FIRST_PORT} to {LAST_PORT}")


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
