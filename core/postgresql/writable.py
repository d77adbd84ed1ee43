"""Whether PostgreSQL takes what is written: with a full disk it answers all that is read, and keeps
nothing.

Who finds that out tells it here. From then on a thread of ours tries, until it takes things again:
nobody may be writing any more, since a balancer that asks /readyz sends nobody here. At each try
the other processes are told, too, over the channel layer: who has written nothing can't know. To
them that is a reason to try for themselves, and no more, so a false hint does no harm, and one that
is lost comes again. While the layer is away each finds out by its own next write.
"""

import logging
import time
from collections.abc import Callable
from contextlib import closing
from threading import Lock, Thread
from typing import Any

import psycopg
from psycopg.errors import DiskFull, ReadOnlySqlTransaction
from psycopg.generators import PQGen

from core.postgresql.breaker import first_line, knocking

logger = logging.getLogger(__name__)

WHY = {DiskFull: "disk full", ReadOnlySqlTransaction: "read only"}
AGAIN_SECONDS = 2.0  # between two tries
LIMITS = "-c statement_timeout=5000 -c work_mem=64kB"
ANSWER_SECONDS = 8.0  # for a statement: a server that stands still has no limits of its own
# A few MB that are sorted in a temporary file, where there is room for one; nothing is left of it.
ROOM = "SELECT count(*) FROM (SELECT n FROM generate_series(1, 200000) n ORDER BY -n) sorted"


class Writable:
    """What this process knows of that."""

    def __init__(self) -> None:
        self.trouble = ""  # why nothing is stored; empty while it is, as far as is known
        self.tell: Callable[[], None] = lambda: (
            None
        )  # the other processes; set by messaging/live/node.py
        self._is_trying = False
        self._turning = Lock()

    def heard(self, error: BaseException) -> None:
        """A statement failed, whoever asked for it."""
        why = next((why for kind, why in WHY.items() if isinstance(error, kind)), "")
        if not why:
            return
        with self._turning:
            begins, self.trouble = not self.trouble, why
            starts, self._is_trying = not self._is_trying, True
        if begins:
            logger.error("PostgreSQL stores nothing: %s (%s)", why, first_line(error))
        if starts:
            self._start(self._try_on)

    def doubt(self) -> None:
        """Another process was refused something: try for ourselves, unless that is being done."""
        with self._turning:
            starts, self._is_trying = not self._is_trying, True
        if starts:
            self._start(self._look_and_try_on)

    def works(self) -> None:
        """Something was stored."""
        with self._turning:
            ends, self.trouble = bool(self.trouble), ""
        if ends:
            logger.warning("PostgreSQL stores again")

    def _start(self, trying: Callable[[], None]) -> None:
        Thread(target=trying, name="writable", daemon=True).start()

    def _look_and_try_on(self) -> None:
        self._look()
        self._try_on()

    def _try_on(self) -> None:
        while self._is_on():
            self.tell()
            time.sleep(AGAIN_SECONDS)
            self._look()

    def _look(self) -> None:
        try:
            _try()
        except psycopg.Error as error:  # if it is away, which breaker.py tells, that says nothing
            self.heard(error)
        else:
            self.works()

    def _is_on(self) -> bool:
        with self._turning:
            self._is_trying = bool(self.trouble)
            return self._is_trying


writable = Writable()


class BoundConnection(psycopg.Connection[Any]):
    def wait(self, gen: PQGen[Any], *args: Any, **named: Any) -> Any:
        return super().wait(gen, *args, **{"timeout": ANSWER_SECONDS, **named})


def _try() -> None:
    """Raises psycopg.Error while nothing can be written."""
    opened = BoundConnection.connect(**knocking(), options=LIMITS, autocommit=True)
    with closing(opened) as connection:
        if connection.execute("SHOW transaction_read_only").fetchone() != ("off",):
            raise ReadOnlySqlTransaction("it only reads")
        connection.execute(ROOM)
