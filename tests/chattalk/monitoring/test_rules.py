"""What is wrong is told in a sentence, with what to do; and nothing where nothing is."""

from datetime import UTC, datetime, timedelta

import pytest

from chattalk import disk
from chattalk.status import rules
from chattalk.status.hour import Hour
from chattalk.status.rules import Facts
from chattalk.status.stores import Server
from core.postgresql.replica import NO_REPLICA, ReplicaState
from messaging.followers.lag import Lag

NOW = datetime(2026, 11, 30, 12, 0, 30, tzinfo=UTC)
LAST = datetime(2026, 11, 30, 11, 59, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WELL = [Server("PostgreSQL", True, 1), Server("Redis", True, 1), Server("MongoDB", True, 1)]
ACK = "chattalk_acknowledgement_seconds"
GC = "chattalk_gc_pause_seconds"


def hour(figures, at=LAST, quiet=True):
    """One minute with these figures; in all of the others somebody said something."""
    rows = [(LAST - MINUTE * n, "chattalk_messages_total", 1.0) for n in range(60) if quiet]
    return Hour(NOW, [*rows, *((at, name, value) for name, value in figures.items())])


def told(figures=None, at=LAST, **facts):
    usual = {"servers": WELL, "lags": [], "free": 10 * disk.LOW}
    found = rules.judge(Facts(hour(figures or {}, at), **usual | facts))
    return [str(finding.what) for finding in found]


def follower(seconds=0, runs_at="host:1"):
    return Lag("counters", 1, 5, timedelta(seconds=seconds), 0, runs_at)


def test_where_nothing_is_wrong_nothing_is_told():
    assert told({f"{ACK}/0.005": 900, f"{ACK}/0.1": 20, "chattalk_sockets/ws": 30}) == []
    assert told(lags=[follower(seconds=5)]) == []


@pytest.mark.parametrize(
    "figures, what",
    [
        ({f"{ACK}/0.005": 98, f"{ACK}/1.0": 2}, "acknowledged late: one of a hundred waits 1 s"),
        ({f"{ACK}/0.005": 98, f"{ACK}/+Inf": 2}, "one of a hundred waits > 5 s"),
        ({"chattalk_fanout_seconds/2.5": 1}, "shown late: one of a hundred takes 2.5 s"),
        ({"chattalk_loop_delay_seconds/0.5": 9}, "more to do than they can: each turn is 500 ms"),
        ({f"{GC}/0.001": 900, f"{GC}/0.5": 2}, "stand still for up to 500 ms"),
        ({"chattalk_pool_errors_total/default": 1}, "wait for a connection"),
        (
            {
                "chattalk_pool_waits_total/default": 10,
                "chattalk_pool_wait_seconds_total/default": 2,
            },
            "wait for a connection",
        ),
        ({"chattalk_lock_timeouts_total": 1}, "gave up waiting for a row"),
        ({"chattalk_closes_total/us/4008": 20}, "read too slowly: 20 were closed"),
        ({"chattalk_outbox_bytes": 300e6}, "read too slowly"),
        ({"chattalk_closes_total/us/4500": 2, "chattalk_requests_total/500": 1}, "failed 3 times"),
        ({"chattalk_requests_total/500": 1}, "failed 1 time "),
        ({"chattalk_refusals_total/nack/unavailable": 4}, "4 messages or requests were refused"),
        ({"chattalk_worker_falls_total": 1}, "1 worker fell in the last hour"),
        ({"chattalk_relay_lag_seconds": 61}, "Kafka is behind: a line has waited for 61 s"),
        ({"chattalk_relay_rooms_stopped": 1}, "Kafka has stopped at a room"),
        ({"chattalk_lost_lines_total": 59}, "lost lines that people had seen"),
    ],
)
def test_what_the_minutes_show_is_told(figures, what):
    (sentence,) = told(figures)
    assert what in sentence


@pytest.mark.parametrize(
    "figures",
    [
        {f"{ACK}/0.5": 1},
        {"chattalk_fanout_seconds/1.0": 1},
        {"chattalk_loop_delay_seconds/0.25": 9},
        {f"{GC}/0.25": 9},
        {"chattalk_relay_lag_seconds": 60, "chattalk_relay_lag_lines": 900},
        {"chattalk_pool_waits_total/default": 10, "chattalk_pool_wait_seconds_total/default": 1},
        {"chattalk_closes_total/us/4008": 19, "chattalk_closes_total/us/1012": 900},
        {"chattalk_requests_total/503": 9, "chattalk_refusals_total/problem/rate_limited": 9},
    ],
)
def test_up_to_its_limit_nothing_is_told(figures):
    assert told(figures) == []


def test_what_is_over_is_told_no_more_but_a_fall_for_an_hour():
    slow = {f"{ACK}/1.0": 100, "chattalk_worker_falls_total": 2}
    (sentence,) = told(slow, at=LAST - 5 * MINUTE)
    assert "2 workers fell" in sentence
    assert len(told(slow, at=LAST - 4 * MINUTE)) == 2
    assert told(slow, at=LAST - 60 * MINUTE) == []


def test_a_store_that_is_away_comes_first():
    servers = [*WELL[:1], Server("Redis", False, 0), Server("MongoDB", True, 1, "its disk is full")]
    sentences = told({f"{ACK}/1.0": 9}, servers=servers)
    assert sentences[0].startswith("Redis does not answer")
    assert sentences[1] == "MongoDB stores nothing: its disk is full."
    assert "acknowledged late" in sentences[2]


def test_a_disk_that_fills_is_told_in_time():
    assert told(free=disk.LOW - 1) == ["The disk is nearly full: 1023 MB are free."]
    assert told(free=None) == []


def test_a_follower_that_is_behind_or_nobody_s_is_told():
    assert told(lags=[follower(seconds=11)]) == ["counters is behind: a line has waited for 11 s."]
    assert told(lags=[follower(runs_at=None)]) == ["No process runs counters."]
    assert told(lags=[follower(runs_at=None)], knows_who_runs=False) == []


def test_a_replica_that_is_not_used_is_told():
    assert told(replica=ReplicaState(0.3, "")) == []
    (sentence,) = told(replica=ReplicaState(None, NO_REPLICA))
    assert sentence.startswith("The replica of PostgreSQL is not used: it is no replica")


def test_workers_that_write_nothing_are_told():
    facts = Facts(hour({}, quiet=False), WELL, [])
    (finding,) = rules.judge(facts)
    assert "No worker has written its minute" in str(finding.what) and not finding.is_urgent


def test_what_people_notice_comes_before_the_rest():
    figures = {"chattalk_requests_total/500": 1, "chattalk_lock_timeouts_total": 1}
    found = rules.judge(Facts(hour(figures), WELL, [follower(seconds=60)]))
    assert [finding.is_urgent for finding in found] == [True, False, False]
    assert all(finding.do for finding in found)


def test_a_quantile_is_the_bound_of_its_bucket():
    found = hour({f"{ACK}/0.001": 98, f"{ACK}/0.5": 1, f"{ACK}/+Inf": 1, f"{ACK}/sum": 60})
    assert found.quantile(ACK, 0.5, [LAST]) == 0.001
    assert found.quantile(ACK, 0.99, [LAST]) == 0.5
    assert found.quantile(ACK, 1, [LAST]) == float("inf")
    assert found.quantile(ACK, 0.5, [LAST - MINUTE]) is None
