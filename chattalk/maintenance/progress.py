"""How far a long command is: a bar on a terminal, now and then a line elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import click

BAR_SECONDS = 0.1  # between two pictures of a bar
LINE_SECONDS = 5.0  # between two lines where no bar can be drawn


class Advance(Protocol):
    def __call__(self, steps: int, /) -> None: ...


@contextmanager
def progress(stream: Any, label: str, total: int) -> Iterator[Advance]:
    """Call what comes with the steps that were done since the last call."""
    if stream.isatty():
        with click.progressbar(length=max(total, 1), label=label, file=stream) as bar:
            steps = _Steps(BAR_SECONDS, lambda done: bar.update(done - bar.pos))
            yield steps.advance
            bar.update(max(total, 1) - bar.pos)
        return

    def show(done: int) -> None:
        stream.write(f"{label}: {done:,} of {max(done, total):,}\n")
        stream.flush()

    steps = _Steps(LINE_SECONDS, show)
    yield steps.advance
    show(max(steps.done, total))


class _Steps:
    """Shown every so many seconds, however small and many they are."""

    def __init__(self, seconds: float, show: Callable[[int], None]) -> None:
        self.done = 0
        self._seconds, self._show = seconds, show
        self._shown_at = time.monotonic()

    def advance(self, steps: int) -> None:
        self.done += steps
        if (now := time.monotonic()) >= self._shown_at + self._seconds:
            self._shown_at = now
            self._show(self.done)
