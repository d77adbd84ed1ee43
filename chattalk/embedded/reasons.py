"""What a server says in its log, read for the reason of its end."""

import errno
import os

# The reasons that an operator can do something about, in the words of Linux.
NUMBERS = [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO]
NUMBERS += [errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EADDRINUSE]
CAUSES = tuple(os.strerror(number) for number in NUMBERS)
COMPLAINTS = (CAUSES, ("PANIC",), ("FATAL",), ("rror",))  # the better ones first
# What PostgreSQL tells each who knocks while it is down, and whom it cuts off: no reason of an end.
CONSEQUENCES = ("the database system is", "terminating ", "too many clients")
LINES = 100  # that are looked at, the last ones


def complaint(lines: list[str]) -> str:
    own = _own(lines)
    for marks in COMPLAINTS:
        found = [line for line in own if any(mark in line for mark in marks)]
        if found:
            return found[-1]
    return ""


def last(lines: list[str]) -> str:
    """A reason, or else whatever was said last."""
    return complaint(lines) or next(reversed(_own(lines)), "")


def _own(lines: list[str]) -> list[str]:
    said = [line.strip() for line in lines if line.strip()]
    return [line for line in said if not any(one in line for one in CONSEQUENCES)][-LINES:]
