"""What the site writes down, bounded whoever floods it.

A refusal is one line of at most LINE_MAX: strangers choose what is in it. Tracebacks are for faults
of ours, and bounded, too. What comes again and again is written OFTEN times in WINDOW, and counted
from then on: "… and 1,234 more like it in 60 s".
"""

import copy
import logging
import threading
import time
from dataclasses import dataclass

LINE_MAX = 1024  # bytes
TRACE_MAX = 16 * 1024  # bytes, of one traceback; a third of it is its beginning
WINDOW = 60.0  # seconds
OFTEN = 20  # lines of one kind in that time
KINDS_MAX = 500  # in that time; those that come later are one kind
CUT = " …[cut]… "
CONTROLS = {n: f"\\x{n:02x}" for n in (*range(32), *range(127, 160))} | {10: "\\n", 9: "\\t"}


class Line(logging.Formatter):
    """One record, one line; below it the traceback, if it has one."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return cut(super().formatMessage(record).translate(CONTROLS), LINE_MAX)

    def formatException(self, info: object) -> str:
        return cut(super().formatException(info), TRACE_MAX)  # type: ignore[arg-type]

    def formatStack(self, stack_info: str) -> str:
        return cut(super().formatStack(stack_info), TRACE_MAX)


def cut(text: str, most: int) -> str:
    """At most so many bytes: its beginning, and of what is long by far its end, too."""
    encoded = text.encode("utf-8", "backslashreplace")
    if len(encoded) <= most:
        return text
    kept = most - len(CUT.encode())
    parts = encoded[: kept // 3], encoded[len(encoded) - (kept - kept // 3) :]
    return CUT.join(part.decode("utf-8", "ignore") for part in parts)


def is_refusal(record: logging.LogRecord) -> bool:
    """What the one who asked did wrong: Django tells it with the status that it answered."""
    status = getattr(record, "status_code", None)
    return record.name.startswith("django.security") or (status is not None and status < 500)


@dataclass
class Repeats:
    """How often one kind was written since `began`, and what was only counted."""

    began: float
    lines: int = 0
    more: int = 0
    last: logging.LogRecord | None = None


class Journal(logging.StreamHandler):
    """The console, with a memory. Threads and the event loop write; Handler.handle has the lock."""

    def __init__(self) -> None:
        super().__init__()
        self._repeats: dict[object, Repeats] = {}
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if is_refusal(record) and record.exc_info:
            record = copy.copy(record)
            record.exc_info = record.exc_text = None
        self._sweep(WINDOW)
        repeats = self._of(record)
        if repeats.lines < OFTEN:
            repeats.lines += 1
            super().emit(record)
            return
        repeats.more += 1
        repeats.last = record
        self._tell_soon()

    def _of(self, record: logging.LogRecord) -> Repeats:
        key = _kind(record)
        if key not in self._repeats and len(self._repeats) >= KINDS_MAX:
            key = None
        return self._repeats.setdefault(key, Repeats(time.monotonic()))

    def _sweep(self, age: float) -> None:
        """Tell what was counted by kinds that are that old, and forget them."""
        now = time.monotonic()
        old = [key for key, repeats in self._repeats.items() if now - repeats.began >= age]
        for repeats in [self._repeats.pop(key) for key in old]:
            if repeats.last is not None:
                super().emit(_summary(repeats, now - repeats.began))

    def _tell_soon(self) -> None:
        """Even if nothing else is written from here on."""
        if self._timer is None:
            self._timer = threading.Timer(WINDOW, self._time_is_over)
            self._timer.daemon = True
            self._timer.start()

    def _time_is_over(self) -> None:
        self.acquire()
        try:
            self._timer = None
            self._sweep(WINDOW)
            if any(repeats.more for repeats in self._repeats.values()):
                self._tell_soon()
        finally:
            self.release()

    def close(self) -> None:
        self.acquire()
        try:
            if self._timer is not None:
                self._timer.cancel()
            self._sweep(0.0)
        finally:
            self.release()
        super().close()


def _kind(record: logging.LogRecord) -> object:
    """What it says, without what it says it of."""
    status = getattr(record, "status_code", None)
    fault = type(record.exc_info[1]).__name__ if record.exc_info else None
    # Django writes what is suspicious as one text, with what was sent in it: a kind for each name.
    said = "" if is_refusal(record) and not record.args else str(record.msg)[:LINE_MAX]
    return record.name, said, getattr(record, "kind", status), fault


def _summary(repeats: Repeats, seconds: float) -> logging.LogRecord:
    summary = copy.copy(repeats.last)
    assert summary is not None
    said = cut(summary.getMessage(), LINE_MAX // 2)
    summary.msg = f"… and {repeats.more:,} more like it in {seconds:.0f} s: {said}"
    summary.args, summary.exc_info, summary.exc_text = None, None, None
    summary.created = time.time()
    return summary
