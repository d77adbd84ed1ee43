"""Whether PostgreSQL takes what is written: with a full disk it answers all that is read, and keeps
nothing.

Who finds that out tells it here. From then on a thread of ours tries, until it takes things again:
nobody may be writing any more, since a balancer that asks /readyz sends nobody here.
"""

import logging
import time
from contextlib import suppress
from threading import Lock, Thread

import psycopg
from psycopg.errors import DiskFull, ReadOnlySqlTransaction

from messaging.reachable import first_line, knocking

log = logging.getLogger(__name__)

WHY = {DiskFull: "disk full", ReadOnlySqlTransaction: "read only"}
AGAIN_SECONDS = 2.0  # between two tries
LIMITS = "-c statement_timeout=5000 -c work_mem=64kB"
# A few MB that are sorted in a temporary file, where there is room for one; nothing is left of it.
ROOM = "SELECT count(*) FROM (SELECT n FROM generate_series(1, 200000) n ORDER BY -n) sorted"


class Writable:
    """Of one process."""

    def __init__(self) -> None:
        self.trouble = ""  # why nothing is stored; empty while it is, as far as is known
        self._is_trying = False
        self._turning = Lock()

    def heard(self, error: BaseException) -> None:
        """Of a statement that failed, by whomever."""
        why = next((why for kind, why in WHY.items() if isinstance(error, kind)), "")
        if not why:
            return
        with self._turning:
            begins, self.trouble = not self.trouble, why
            starts, self._is_trying = not self._is_trying, True
        if begins:
            log.error("PostgreSQL stores nothing: %s (%s)", why, first_line(error))
        if starts:
            Thread(target=self._try_on, name="writable", daemon=True).start()

    def works(self) -> None:
        """Something was stored."""
        with self._turning:
            ends, self.trouble = bool(self.trouble), ""
        if ends:
            log.warning("PostgreSQL stores again")

    def _try_on(self) -> None:
        while self._is_on():
            time.sleep(AGAIN_SECONDS)
            with suppress(psycopg.Error):  # that was said; or it is away, which reachable.py tells
                _try()
                self.works()

    def _is_on(self) -> bool:
        with self._turning:
            self._is_trying = bool(self.trouble)
            return self._is_trying


writable = Writable()


def _try() -> None:
    """Raises psycopg.Error while nothing can be written."""
    with psycopg.connect(**knocking(), options=LIMITS, autocommit=True) as connection:
        if connection.execute("SHOW transaction_read_only").fetchone() != ("off",):
            raise ReadOnlySqlTransaction("it only reads")
        connection.execute(ROOM)
