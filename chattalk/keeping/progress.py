"""How far a long command is: a bar on a terminal, now and then a line elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import click

LINE_SECONDS = 5.0  # between two lines where no bar can be drawn


class Advance(Protocol):
    def __call__(self, steps: int, /) -> None: ...


@contextmanager
def progress(stream: Any, label: str, total: int) -> Iterator[Advance]:
    """Call what comes with the steps that were done since the last call."""
    if stream.isatty():
        with click.progressbar(length=max(total, 1), label=label, file=stream) as bar:
            yield bar.update
            bar.update(max(total, 1) - bar.pos)
        return
    lines = _Lines(stream, label, total)
    yield lines.advance
    lines.show(max(lines.done, total))


class _Lines:
    def __init__(self, stream: Any, label: str, total: int) -> None:
        self.done = 0
        self._stream, self._label, self._total = stream, label, total
        self._shown_at = time.monotonic()

    def advance(self, steps: int) -> None:
        self.done += steps
        if time.monotonic() >= self._shown_at + LINE_SECONDS:
            self._shown_at = time.monotonic()
            self.show(self.done)

    def show(self, done: int) -> None:
        self._stream.write(f"{self._label}: {done:,} of {max(done, self._total):,}\n")
        self._stream.flush()
