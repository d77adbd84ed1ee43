"""Old lines are read from a replica; what must be exact, and all while it is no good, is not."""

import os
import signal
import tempfile
import time
from importlib import import_module
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection, transaction

from chattalk.embedded import django_database
from core.postgresql import replica as replicas
from core.postgresql.replica import NO_REPLICA, OTHER_CLUSTER, OTHER_TIMELINE, Replica, ServerPlace
from messaging import log
from messaging.log import old
from messaging.services import export
from tests import standby
from tests.messaging import stores

SAID = 40  # messages


@pytest.fixture(scope="module")
def server(django_db_setup):
    folder = Path(tempfile.mkdtemp(prefix="replica-", dir=os.environ["CHATTALK_DATA"]))
    made = standby.standby_of(settings.DATABASE_URL, folder)
    yield made
    made.stop()


def used(address, monkeypatch):
    """As settings would have it, looked at once."""
    found = django_database(address) | {"NAME": connection.settings_dict["NAME"]}
    monkeypatch.setattr(settings, "DATABASE_REPLICA", found)
    replica = Replica()
    monkeypatch.setattr(old, "replica", replica)
    monkeypatch.setattr(export, "replica", replica)
    replica.look()
    return replica


@pytest.fixture
def replica(server, monkeypatch, talked):
    standby.caught_up(settings.DATABASE_URL, server)
    replica = used(server.url(), monkeypatch)
    assert replica.why == ""
    yield replica
    if replica._pool:
        replica._pool.close()


@pytest.fixture
def talked(transactional_db, room, alice, bob):
    say(room, alice, SAID)
    return room


def say(room, user, many):
    with transaction.atomic():
        log.append(room.pk, "message", [user.pk] * many, "said")


@pytest.fixture
def no_primary(monkeypatch):
    def refuse(*_asked):
        raise AssertionError("the primary was asked")

    monkeypatch.setattr(import_module("messaging.log.pages"), "rows", refuse)


def bodies(room, **span):
    found, more = log.page(room.pk, limit=5, most=10_000, **{"before": None, "after": None} | span)
    return [event.seq for event in found], more


def test_pages_of_the_past_come_from_the_replica(replica, talked, no_primary):
    assert bodies(talked, before=20) == ([15, 16, 17, 18, 19], True)
    assert bodies(talked, before=4) == ([1, 2, 3], False)
    assert bodies(talked, after=10) == ([11, 12, 13, 14, 15], True)


@pytest.mark.parametrize("span", [{}, {"after": 38}, {"before": 44}])
def test_what_may_be_near_the_end_is_the_primary_s(replica, talked, no_primary, span):
    with pytest.raises(AssertionError, match="the primary was asked"):
        bodies(talked, **span)


def test_lines_that_it_has_not_yet_are_the_primary_s(replica, server, talked, alice):
    held = standby.ask(server, "SELECT pg_wal_replay_pause()")
    assert held
    try:
        say(talked, alice, 10)
        assert bodies(talked, before=50) == ([45, 46, 47, 48, 49], True)
        assert bodies(talked, after=40) == ([41, 42, 43, 44, 45], True)
    finally:
        standby.ask(server, "SELECT pg_wal_replay_resume()")


def test_one_that_is_too_far_behind_is_not_asked(replica, server, talked, monkeypatch, caplog):
    monkeypatch.setattr(settings, "DATABASE_REPLICA_LAG", 0.5)
    standby.ask(server, "SELECT pg_wal_replay_pause()")
    try:
        connection.cursor().execute("SELECT pg_switch_wal()")
        time.sleep(0.6)
        replica.look()
        assert replica.why == "it is too far behind" and replica.lag > 0.5
        assert replica.rows("SELECT 1", {}) is None
        assert bodies(talked, before=20)[0] == [15, 16, 17, 18, 19]
    finally:
        standby.ask(server, "SELECT pg_wal_replay_resume()")
    standby.caught_up(settings.DATABASE_URL, server)
    replica.look()
    assert (replica.why, replica.lag < 0.5) == ("", True)
    said = [one.getMessage() for one in caplog.records if "replica" in one.getMessage()]
    assert said == ["the replica is not used: it is too far behind", "the replica is used"]


def test_one_that_stands_still_holds_nobody_up_for_long(replica, server, talked, monkeypatch):
    monkeypatch.setattr(replicas, "ANSWER_SECONDS", 0.3)
    stores.signal_all(stores.processes(server), signal.SIGSTOP)
    try:
        began = time.monotonic()
        for _ in range(3):  # the first finds it out
            assert bodies(talked, before=20)[0] == [15, 16, 17, 18, 19]
        assert time.monotonic() - began < 2.5
        assert replica.why
    finally:
        stores.signal_all(stores.processes(server), signal.SIGCONT)


def test_a_primary_is_no_replica_and_that_is_one_sentence(talked, monkeypatch, caplog):
    replica = used(settings.DATABASE_URL, monkeypatch)
    replica.look()
    assert replica.why == NO_REPLICA
    assert bodies(talked, before=20)[0] == [15, 16, 17, 18, 19]
    told = [one.getMessage() for one in caplog.records if "replica" in one.getMessage()]
    assert told == [f"the replica is not used: {NO_REPLICA}"]
    replica._pool.close()


@pytest.mark.parametrize(
    "primary, found, why",
    [
        (ServerPlace(1, 2, 100), ServerPlace(1, 1, 500), OTHER_TIMELINE),
        (ServerPlace(1, 2, 100), ServerPlace(7, 2, 100), OTHER_CLUSTER),
        (ServerPlace(1, 2, 100), ServerPlace(1, 2, 100), ""),
        (ServerPlace(1, 2, 100), ServerPlace(1, 2, 99), "it is too far behind"),
    ],
)
def test_a_replica_that_has_another_past_is_not_asked(primary, found, why, monkeypatch):
    monkeypatch.setattr(settings, "DATABASE_REPLICA", {"HOST": "somewhere"})
    replica = Replica()
    replica._note(primary)
    replica._judge(primary, found, is_replica=True)
    assert replica.why == why


async def test_an_export_comes_from_it_up_to_the_last_page(replica, talked, monkeypatch):
    monkeypatch.setattr(export, "PAGE", 10)
    asked = []
    rows = replica.rows
    monkeypatch.setattr(replica, "rows", lambda *ask: asked.append(ask) or rows(*ask))
    pages = [page async for page in export._pages(talked.pk, SAID + 2)]
    assert [event.seq for page in pages for event in page] == list(range(1, SAID + 3))
    assert len(asked) == 5
    await sync_to_async(replica.stop)()
