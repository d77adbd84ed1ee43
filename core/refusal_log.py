"""What was refused, on the log: what, and to whom; never what they sent.

A flood is one line every SECONDS, which says how many there were.
"""

import logging
import time

logger = logging.getLogger(__name__)

SECONDS = 10.0
KINDS_MAX = 10_000

_until: dict[tuple[str, str], float] = {}
_more: dict[tuple[str, str], int] = {}


def note(what: str, who: object) -> None:
    """`who`: an address, or the number of a person."""
    kind, now = (what, str(who) or "unknown"), time.monotonic()
    if now < _until.get(kind, 0.0):
        _more[kind] = _more.get(kind, 0) + 1
        return
    if len(_until) >= KINDS_MAX:
        _until.clear()
        _more.clear()
    _until[kind] = now + SECONDS
    before = _more.pop(kind, 0)
    again = f", and {before} times before" if before else ""
    # `kind`: so that many of one do not hide another (chattalk/server/journal.py).
    logger.info("refused: %s (%s)%s", what, kind[1], again, extra={"kind": what})
