"""What a run that crashed left behind, of a data folder that is ours again."""

import os
import select
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from .process import STOP_WITHIN, TELL_EVERY, quiet


def end_leftovers(
    folder: Path,
    program: str,
    stop_signal: signal.Signals,
    within: float = STOP_WITHIN,
    show: Callable[[str], None] = quiet,
) -> list[int]:
    """Stop the processes of that program whose working folder is this one: in so many seconds, all
    of them together; then they are killed."""
    pids = [pid for pid in _pids() if _works_in(pid, folder) and program in _command_of(pid)]
    handles = _opened(pids)
    try:
        for number in (stop_signal, signal.SIGKILL):
            _signal(handles, number)
            handles = _wait(handles, within, lambda: show(_waited_for(folder)))
    finally:
        for handle in handles:
            os.close(handle)
    return pids


def _waited_for(folder: Path) -> str:
    return f"What an earlier run left in {folder} is ending; it is waited for"


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _works_in(pid: int, folder: Path) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/cwd") == str(folder)
    except OSError:  # it has ended, or is somebody else's
        return False


def _command_of(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return b" ".join(words[:3]).decode(errors="replace")


def _opened(pids: Iterable[int]) -> list[int]:
    handles = []
    for pid in pids:
        with suppress(ProcessLookupError):
            handles.append(os.pidfd_open(pid))
    return handles


def _signal(handles: Iterable[int], number: signal.Signals) -> None:
    for handle in handles:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, number)


def _wait(handles: list[int], within: float, tell: Callable[[], None]) -> list[int]:
    """Those that have not ended in time; the others are closed."""
    poll, deadline = select.poll(), time.monotonic() + within
    for handle in handles:
        poll.register(handle, select.POLLIN)
    left = set(handles)
    while left and (seconds := deadline - time.monotonic()) > 0:
        ended = poll.poll(min(seconds, TELL_EVERY) * 1000)
        if not ended:
            tell()
        for handle, _ in ended:
            poll.unregister(handle)
            left.discard(handle)
            os.close(handle)
    return list(left)
