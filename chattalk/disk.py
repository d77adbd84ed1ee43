"""Room on the disk of the embedded servers: what they can't tell themselves once it is full.

A PostgreSQL that finds no room for its log ends, and does not come up before there is some; nobody
who knocks is told why.
"""

import os
from urllib.parse import quote

from django.conf import settings

from chattalk.embedded import data_dir

FULL = 1024 * 1024  # bytes, under which nothing more is stored
SEGMENT = 32 * 1024 * 1024  # bytes, under which PostgreSQL ends for want of its next 16 MB of log
LOW = 1024**3  # bytes, under which somebody should look


def embedded() -> set[str]:
    """The stores that keep their data in our data folder. Redis keeps nothing at all."""
    ours = quote(str(data_dir.socket_folder(settings.DATA_DIR)), safe="")
    kept = {"postgresql": settings.DATABASE_URL, "mongodb": settings.MONGODB_URL}
    return {store for store, url in kept.items() if ours in url}


def free() -> int | None:
    """Bytes; None where nothing of ours is kept on it, or nobody knows."""
    if not embedded():
        return None
    try:
        found = os.statvfs(settings.DATA_DIR)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def has_less_than(size: int) -> bool:
    left = free()
    return left is not None and left < size
