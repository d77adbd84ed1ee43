"""The logs of the embedded servers, kept short while they run, which may be for months.

One way for all three: each writes into a file that we opened for appending, so once it is copied
and cut off the server goes on at its beginning. PostgreSQL could rotate by itself, with one process
more and names of its own; Valkey and the MongoDB wire can't.
"""

import logging
import os
import threading
from pathlib import Path

LOG_KEPT = 5_000_000  # bytes; of a longer log as much is kept, once, as .log.old
LOOK_EVERY = 10.0  # seconds

logger = logging.getLogger(__name__)


class Rotation:
    """Looks at them again and again, in a thread of its own."""

    def __init__(self, logs: list[Path]) -> None:
        self._logs = logs
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="logs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_EVERY):
            for path in self._logs:
                try:
                    shorten(path)
                except OSError as error:
                    logger.warning("%s stays as long as it is: %s", path, error)


def shorten(path: Path) -> None:
    if not path.exists() or path.stat().st_size <= LOG_KEPT:
        return
    old = path.with_suffix(".log.old")
    try:
        _copy_end(path, old)
    except OSError:  # a full disk, most likely: what people say needs the room more
        old.unlink(missing_ok=True)
    os.truncate(path, 0)  # a line that comes between the copy and this is lost


def _copy_end(path: Path, old: Path) -> None:
    with path.open("rb") as source:
        source.seek(-LOG_KEPT, os.SEEK_END)
        source.readline()  # half of one
        old.write_bytes(source.read(LOG_KEPT))
