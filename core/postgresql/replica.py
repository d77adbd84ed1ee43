"""A replica that only reads (DATABASE_REPLICA_URL): for lines of a log that were written long ago.
Never for what must be exact: who may read, where a log ends, and what is new is the primary's.

A thread looks every LOOK_SECONDS how far it is behind: it has replayed at least what the primary
had written at a moment that we know. While it is away, too far behind, of another timeline, or no
replica at all, nobody asks it, and all is read from the primary.
"""

import logging
import time
from collections import deque
from collections.abc import Sequence
from threading import Event, Thread
from typing import Any, LiteralString, NamedTuple, cast

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils.translation import gettext_lazy as _
from psycopg.generators import PQGen
from psycopg_pool import ConnectionPool, PoolTimeout

from core import metrics
from core.breaker import Breaker
from core.postgresql import sessions
from core.postgresql.breaker import CONNECT_SECONDS
from core.text import first_line

logger = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
ANSWER_SECONDS = 1.0  # then the primary is asked
FREE_SECONDS = 0.2  # for a connection
CONNECTIONS = 4
LOOKS_KEPT = 100
FAILURES = (psycopg.Error, PoolTimeout, OSError)

NO_REPLICA = _("it is no replica: it takes what is written. Name a standby")
OTHER_CLUSTER = _("it is a replica of another database")
TOO_FAR = _("it is too far behind")
NOT_LOOKED_AT = _("it was not looked at yet")
OTHER_TIMELINE = _("it has not come to the primary's timeline yet")

_PRIMARY = """
SELECT (SELECT system_identifier FROM pg_control_system()),
    ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int,
    pg_current_wal_flush_lsn() - '0/0'::pg_lsn
"""
# Its timeline as far as it is on its disk, which may be later than that of what it shows.
_REPLICA = """
SELECT (SELECT system_identifier FROM pg_control_system()),
    GREATEST((SELECT timeline_id FROM pg_control_checkpoint()),
             (SELECT min_recovery_end_timeline FROM pg_control_recovery())),
    pg_last_wal_replay_lsn() - '0/0'::pg_lsn, pg_is_in_recovery()
"""


class ServerPlace(NamedTuple):
    """How far a server has come."""

    system: int
    timeline: int
    written: int | None  # bytes of its log


class ReplicaConnection(psycopg.Connection[Any]):
    """A replica that stands still holds up nobody for longer than this."""

    def wait(self, gen: PQGen[Any], *args: Any, **named: Any) -> Any:
        try:
            return super().wait(gen, *args, **{"timeout": ANSWER_SECONDS, **named})
        except psycopg.Error:
            raise
        except Exception as error:  # psycopg's own, of a wait that took too long
            self.pgconn.finish()
            raise psycopg.OperationalError("the replica does not answer") from error


class ReplicaState(NamedTuple):
    """How it is with the replica that is given."""

    lag: float | None  # seconds at most; None if that is not known
    why: Any  # it is not used; empty if it is


class Replica:
    def __init__(self) -> None:
        self._why: Any = ""
        self._breaker = Breaker("the replica is not used", "the replica is used")
        self._looks: deque[tuple[float, int]] = deque(maxlen=LOOKS_KEPT)  # when, and how far
        self._timeline = 0  # of these looks
        self._reached = float("-inf")  # a moment of whose log it has all
        self._pool: ConnectionPool[ReplicaConnection] | None = None
        self._ends = Event()

    @property
    def is_given(self) -> bool:
        return bool(settings.DATABASE_REPLICA)

    @property
    def lag(self) -> float | None:
        """Seconds, at most so many; None where that is not known, or none is given."""
        lag = time.monotonic() - self._reached
        return lag if self.is_given and lag < float("inf") else None

    @property
    def why(self) -> Any:
        """Why it is not used, in the reader's language where we have said so; empty if it is."""
        if self._breaker.is_down:
            return self._why
        if self._is_near():
            return ""
        return TOO_FAR if self.lag is not None else NOT_LOOKED_AT

    @property
    def state(self) -> ReplicaState | None:
        """None where none is given."""
        return ReplicaState(self.lag, self.why) if self.is_given else None

    def rows(self, sql: str, params: dict[str, Any]) -> Sequence[tuple[Any, ...]] | None:
        """None where it is not to be asked, or gave no answer. Its last moments are missing."""
        if not self.is_given or self.why:
            return None
        try:
            return self._ask(sql, params)
        except FAILURES as error:
            self._not_used(first_line(error))
            return None

    def _is_near(self) -> bool:
        return time.monotonic() - self._reached <= settings.DATABASE_REPLICA_LAG

    def _ask(self, sql: str, params: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        if self._pool is None:
            self._pool = _pool()
        with self._pool.connection(timeout=FREE_SECONDS) as asked:
            return asked.execute(cast(LiteralString, sql), params).fetchall()

    # --- how far it is behind ---------------------------------------------------------------------

    def start(self) -> None:
        """From here on it is looked at; where none is given that is nothing."""
        if self.is_given:
            self._ends.clear()
            Thread(target=self._watch, name="replica", daemon=True).start()

    def stop(self) -> None:
        self._ends.set()

    def _watch(self) -> None:
        while not self._ends.is_set():
            try:
                self.look()
            except Exception:  # the watch must outlive whatever it meets
                logger.exception("looking at the replica failed")
            self._ends.wait(LOOK_SECONDS)
        if self._pool is not None:
            self._pool.close(timeout=1)
            self._pool = None

    def look(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute(_PRIMARY)
                primary = ServerPlace(*cursor.fetchone())
        except DatabaseError:  # then nobody reads anything; what is known becomes too old by itself
            return
        finally:
            connection.close()
        self._note(primary)
        try:
            (*found, is_replica) = self._ask(_REPLICA)[0]
        except FAILURES as error:
            self._not_used(first_line(error))
        else:
            self._judge(primary, ServerPlace(*found), is_replica)

    def _note(self, primary: ServerPlace) -> None:
        if primary.timeline != self._timeline:
            self._timeline, self._reached = primary.timeline, float("-inf")
            self._looks.clear()
        self._looks.append((time.monotonic(), primary.written or 0))

    def _judge(self, primary: ServerPlace, replica: ServerPlace, is_replica: bool) -> None:
        if not is_replica:
            self._not_used(NO_REPLICA)
        elif replica.system != primary.system:
            self._not_used(OTHER_CLUSTER)
        elif replica.timeline < primary.timeline:
            self._not_used(OTHER_TIMELINE)
        else:
            reached = [at for at, written in self._looks if written <= (replica.written or 0)]
            self._reached = max([self._reached, *reached])
            if self._is_near():
                self._breaker.answered()
            else:
                self._not_used(TOO_FAR)

    def _not_used(self, why: Any) -> None:
        if why in (NO_REPLICA, OTHER_CLUSTER, OTHER_TIMELINE):
            self._reached = float("-inf")
        self._why = why
        self._breaker.failed(str(why))


def _pool() -> "ConnectionPool[ReplicaConnection]":
    wanted = dict(settings.DATABASE_REPLICA)
    names = {"host": "HOST", "port": "PORT", "dbname": "NAME", "user": "USER"}
    names["password"] = "PASSWORD"
    parameters = {key: wanted[name] for key, name in names.items() if wanted[name]}
    parameters |= wanted["OPTIONS"] | {"connect_timeout": CONNECT_SECONDS}
    options = sessions.as_options(sessions.LIMITS | {"timezone": sessions.EXACT["timezone"]})
    parameters |= {"options": options, "autocommit": True, "application_name": "chattalk replica"}
    return ConnectionPool(
        kwargs=parameters, connection_class=ReplicaConnection, min_size=0, max_size=CONNECTIONS,
        open=True, name="replica", reconnect_timeout=CONNECT_SECONDS,
    )  # fmt: skip


replica = Replica()
metrics.read(
    "chattalk_replica_lag_seconds",
    "How far the replica is behind at most; none where it is not known.",
    lambda: replica.lag,
    over="max",
)
