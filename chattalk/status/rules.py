"""What is wrong, in a sentence, and what to do next. Each rule looks at the facts, and says what it
finds; what comes first explains what comes after it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from chattalk import disk
from chattalk.status.hour import Hour
from chattalk.status.stores import Server
from core.postgresql.replica import ReplicaState
from messaging.followers.lag import Lag

# From here on something is wrong: seconds, unless they say otherwise.
ACKNOWLEDGED_LATE = 0.5
FANNED_OUT_LATE = 1.0
LOOP_LATE = 0.25
PAUSE_LONG = 0.25
POOL_WAIT_LONG = 0.1  # on average, of those who wait
RELAY_LATE = 60
OUTBOXES_LARGE = 256 * 1024 * 1024  # bytes
SLOW_READERS = 20  # in the last minutes
NOTHING_WRITTEN = 3  # minutes


class Facts(NamedTuple):
    hour: Hour
    servers: Sequence[Server]
    lags: Sequence[Lag]
    free: int | None = None  # bytes on the disk of the embedded servers
    knows_who_runs: bool = True
    replica: ReplicaState | None = None


class Finding(NamedTuple):
    what: Any
    do: Any
    is_urgent: bool = True  # people notice it


Rule = Callable[[Facts], Iterator[Finding]]

DOWN = {
    "PostgreSQL": (
        _("PostgreSQL does not answer: nobody can say or read anything."),
        _("Look whether its server runs, and what its log says last."),
    ),
    "Redis": (
        _("Redis does not answer: what people on other workers say comes up to 5 s late."),
        _("Look whether its server runs. Nothing is lost meanwhile."),
    ),
    "MongoDB": (
        _("MongoDB does not answer: since when somebody is away is kept in memory only."),
        _("Look whether its server runs. What waits is written when it is back."),
    ),
}


def stores(facts: Facts) -> Iterator[Finding]:
    for server in facts.servers:
        if not server.answers:
            yield Finding(*DOWN[server.name])
        elif server.why:
            what = _("%(store)s stores nothing: %(why)s.")
            do = _("Make room on its disk, or let it be written to again; it goes on by itself.")
            yield Finding(what % {"store": server.name, "why": server.why}, do)


def room(facts: Facts) -> Iterator[Finding]:
    if facts.free is not None and facts.free < disk.LOW:
        what = _("The disk is nearly full: %(megabytes)d MB are free.")
        do = _("Make room, or move CHATTALK_DATA to a larger disk, before nothing can be stored.")
        yield Finding(what % {"megabytes": facts.free // 1024**2}, do)


def silence(facts: Facts) -> Iterator[Finding]:
    hour = facts.hour
    if not any(map(hour.has, hour.times[-NOTHING_WRITTEN:])):
        what = _("No worker has written its minute for %(minutes)d minutes.")
        do = _("If they run, look for “minutes” in the log; the page shows nothing newer.")
        yield Finding(what % {"minutes": NOTHING_WRITTEN}, do, is_urgent=False)


def falls(facts: Facts) -> Iterator[Finding]:
    if many := int(facts.hour.sum("chattalk_worker_falls_total", facts.hour.times)):
        what = ngettext_lazy(
            "%(many)d worker fell in the last hour, and was started again.",
            "%(many)d workers fell in the last hour, and were started again.",
            "many",
        )
        do = _("Look for “ended unexpectedly” in the log: the status before it says why; "
               "-9 is mostly a lack of memory.")  # fmt: skip
        yield Finding(what % {"many": many}, do)


def losses(facts: Facts) -> Iterator[Finding]:
    """How many is not told: each worker that held the room counts them."""
    if facts.hour.sum("chattalk_lost_lines_total", facts.hour.times):
        what = _("A failover of PostgreSQL has lost lines that people had seen.")
        do = _("Those who had them were told. A synchronous standby loses none.")
        yield Finding(what, do)


def acknowledgements(facts: Facts) -> Iterator[Finding]:
    hour, name = facts.hour, "chattalk_acknowledgement_seconds"
    took = hour.quantile(name, 0.99, hour.lately)
    if took is not None and took > ACKNOWLEDGED_LATE:
        what = _("Messages are acknowledged late: one of a hundred waits %(seconds)s.")
        do = _("Look at PostgreSQL's disk and processor first, then at rows that are waited for.")
        yield Finding(what % {"seconds": shown(took)}, do)


def fanout(facts: Facts) -> Iterator[Finding]:
    hour = facts.hour
    took = hour.quantile("chattalk_fanout_seconds", 0.99, hour.lately)
    if took is not None and took > FANNED_OUT_LATE:
        what = _("Messages are shown late: one of a hundred takes %(seconds)s to its readers.")
        do = _("Look whether Redis answers, and whether the workers have enough processor.")
        yield Finding(what % {"seconds": shown(took)}, do)


def loops(facts: Facts) -> Iterator[Finding]:
    hour = facts.hour
    late = hour.quantile("chattalk_loop_delay_seconds", 0.9, hour.lately)
    if late is not None and late > LOOP_LATE:
        what = _("The workers have more to do than they can: each turn is %(seconds)s late.")
        do = _("Start more workers (--workers) while there is a core for each, else add a machine.")
        yield Finding(what % {"seconds": shown(late)}, do)


def pauses(facts: Facts) -> Iterator[Finding]:
    hour = facts.hour
    took = hour.quantile("chattalk_gc_pause_seconds", 0.999, hour.lately)
    if took is not None and took > PAUSE_LONG:
        what = _("Workers stand still for up to %(seconds)s to collect garbage.")
        do = _("Look how much memory each has; with more workers each has fewer sockets.")
        yield Finding(what % {"seconds": shown(took)}, do, is_urgent=False)


def pools(facts: Facts) -> Iterator[Finding]:
    hour = facts.hour
    failed = hour.sum("chattalk_pool_errors_total", hour.lately)
    waits = hour.sum("chattalk_pool_waits_total", hour.lately)
    waited = hour.sum("chattalk_pool_wait_seconds_total", hour.lately)
    if failed or (waits and waited / waits > POOL_WAIT_LONG):
        what = _("Requests wait for a connection of PostgreSQL.")
        do = _("If PostgreSQL has processor left, raise DATABASE_CONNECTIONS and its "
               "max_connections; else look for slow statements.")  # fmt: skip
        yield Finding(what, do)


def rows(facts: Facts) -> Iterator[Finding]:
    if facts.hour.sum("chattalk_lock_timeouts_total", facts.hour.lately):
        what = _("Statements gave up waiting for a row that another one holds.")
        do = _("Look in pg_stat_activity for a transaction that is open for long.")
        yield Finding(what, do)


def replica(facts: Facts) -> Iterator[Finding]:
    if facts.replica is not None and facts.replica.why:
        what = _("The replica of PostgreSQL is not used: %(why)s.")
        do = _("All is read from the primary meanwhile. Look at the replica, or at its address.")
        yield Finding(what % {"why": facts.replica.why}, do, is_urgent=False)


def followers(facts: Facts) -> Iterator[Finding]:
    for lag in facts.lags:
        if lag.is_late:
            what = _("%(follower)s is behind: a line has waited for %(seconds)d s.")
            do = _("Look for “the follower %(follower)s” in the log, which says what stops it.")
            named = {"follower": lag.name, "seconds": lag.seconds}
            yield Finding(what % named, do % named, is_urgent=False)
        elif facts.knows_who_runs and lag.runs_at is None:
            what = _("No process runs %(follower)s.")
            do = _("Start a worker: each of them may run it.")
            yield Finding(what % {"follower": lag.name}, do, is_urgent=False)


def relay(facts: Facts) -> Iterator[Finding]:
    hour, last = facts.hour, facts.hour.times[-1:]
    waited = int(hour.sum("chattalk_relay_lag_seconds", last))
    if hour.sum("chattalk_relay_rooms_stopped", last):
        what = _("The relay to Kafka has stopped at a room whose log is not what it was.")
        do = _("Its log names the room. After a failover of PostgreSQL see docs/kafka.md.")
        yield Finding(what, do, is_urgent=False)
    elif waited > RELAY_LATE:
        what = _("The relay to Kafka is behind: a line has waited for %(seconds)d s.")
        do = _("Look whether Kafka answers; the relay's log says what it stumbles over.")
        yield Finding(what % {"seconds": waited}, do, is_urgent=False)


def faults(facts: Facts) -> Iterator[Finding]:
    hour = facts.hour
    many = int(
        hour.sum("chattalk_closes_total", hour.lately, "us/4500")
        + hour.sum("chattalk_requests_total", hour.lately, "500")
    )
    if many:
        what = ngettext_lazy(
            "Something of ours failed %(many)d time in the last minutes.",
            "Something of ours failed %(many)d times in the last minutes.",
            "many",
        )
        do = _("The log has a traceback for each: it is worth an issue.")
        yield Finding(what % {"many": many}, do, is_urgent=False)


def unavailable(facts: Facts) -> Iterator[Finding]:
    hour = facts.hour
    refused = hour.values("chattalk_refusals_total", hour.lately)
    many = int(sum(value for key, value in refused.items() if key.endswith("/unavailable")))
    if many:
        what = ngettext_lazy(
            "%(many)d message or request was refused in the last minutes, for a store was away.",
            "%(many)d messages or requests were refused in the last minutes, for a store was away.",
            "many",
        )
        do = _("If all stores answer now it is over. The log says which one it was.")
        yield Finding(what % {"many": many}, do, is_urgent=False)


def readers(facts: Facts) -> Iterator[Finding]:
    hour = facts.hour
    slow = int(hour.sum("chattalk_closes_total", hour.lately, "us/4008"))
    waiting = hour.sum("chattalk_outbox_bytes", hour.lately[-1:])
    if slow >= SLOW_READERS or waiting >= OUTBOXES_LARGE:
        what = _("Many clients read too slowly: %(many)d were closed in the last minutes.")
        do = _("Look at the network and the proxy in front of the workers. The clients come back.")
        yield Finding(what % {"many": slow}, do, is_urgent=False)


RULES: tuple[Rule, ...] = (
    stores, room, falls, losses, loops, rows, pools, acknowledgements, fanout, pauses, readers,
    faults, unavailable, followers, replica, relay, silence,
)  # fmt: skip


def judge(facts: Facts) -> list[Finding]:
    """What people notice first; else in the order of the rules."""
    found = [finding for rule in RULES for finding in rule(facts)]
    return sorted(found, key=lambda finding: not finding.is_urgent)


def shown(seconds: float) -> str:
    if seconds == float("inf"):
        return "> 5 s"
    return f"{seconds:g} s" if seconds >= 1 else f"{seconds * 1000:g} ms"
