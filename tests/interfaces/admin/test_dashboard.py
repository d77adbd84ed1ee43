"""The admin's first page: what it counts, and that nothing that is down breaks it."""

import re
import signal
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from chattalk import dashboard
from chattalk.status import stores
from chattalk.status.bars import bars
from messaging import log, services
from messaging.followers import counters
from messaging.log.event import Person
from messaging.models import Event
from tests.interfaces.admin.conftest import signed_in
from tests.messaging.followers.conftest import follow
from tests.presence.conftest import mongodb, own_servers, valkey  # noqa: F401  (fixtures)


def said(room, user, minutes_ago):
    receipt = services.post(room.pk, Person(user.pk, user.display_name), "hello")
    at = timezone.now() - timedelta(minutes=minutes_ago)
    Event.objects.filter(room=room, seq=receipt.seq).update(created_at=at)


@pytest.fixture
def talk(transactional_db, alice, bob, room):
    for minutes_ago in (0, 5, 5, 59, 61):
        said(room, bob, minutes_ago)
    follow(counters.Counters())


def test_messages_are_counted_by_minute_over_the_last_hour(talk):
    now = timezone.now()
    minutes = dashboard.per_minute(now)
    assert len(minutes) == 60
    assert sum(count for _at, count in minutes) == 4
    assert minutes[-6][1] == 2 and minutes[0][1] == 1


def test_what_is_not_followed_yet_is_told(boss, talk, bob, room):
    page = signed_in(boss).get("/admin/").content.decode()
    assert "<b>counters</b>:" in page and "Nothing is left to follow." in page
    assert "No process runs it." in page
    for _ in range(3):
        log.append(room.pk, "message", [bob.pk], "hello")
    page = signed_in(boss).get("/admin/").content.decode()
    assert "Lines still to come: 3, in this many rooms: 1." in page


def test_the_query_lives_on_its_index(talk):
    with transaction.atomic(), connection.cursor() as cursor:
        for other in ("seqscan", "indexscan", "nestloop"):  # what is better for a few rows
            cursor.execute(f"SET LOCAL enable_{other} = off")
        cursor.execute("DROP INDEX event_by_room_and_time")  # as good, where there is one room
        cursor.execute("EXPLAIN " + counters.BY_MINUTE, {"since": timezone.now()})
        plan = "\n".join(line for (line,) in cursor.fetchall())
        transaction.set_rollback(True)
    assert "event_by_time" in plan


def test_the_first_page_says_it_in_figures_a_chart_and_a_table(boss, talk):
    page = signed_in(boss).get("/admin/").content.decode()
    assert page.count("<rect") == 60
    assert 'role="img"' in page and "<details>" in page
    assert page.count("answers</") == 0 and page.count("does not answer") == 0
    assert re.search(r"<b>PostgreSQL</b> answers", page)


def test_rooms_and_people_are_counted(boss, alice, room):
    services.open_room(alice, title="Two", capacity=1)
    closed = services.open_room(alice, title="Shut")
    services.close_room(closed.pk, by=alice)
    facts = signed_in(boss).get("/admin/").context
    assert facts["rooms"] == {"open": 2, "full": 1, "closed": 1}
    assert facts["people"] == {"active": 3, "today": 3, "week": 3}


def test_a_store_that_is_down_is_named_and_breaks_nothing(boss, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1"
    settings.MONGODB_URL = "mongodb://127.0.0.1:1"
    page = signed_in(boss).get("/admin/")
    assert page.status_code == 200
    states = {server.name: server.answers for server in page.context["health"]}
    assert states == {"PostgreSQL": True, "Redis": False, "MongoDB": False}
    assert page.context["online"] is None
    assert "Who runs it is not known" in page.content.decode()


def test_a_server_that_stands_still_costs_no_more_than_a_second(valkey, mongodb):  # noqa: F811
    both = valkey.process, mongodb.process
    for process in both:
        process.signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        states = {server.name: server.answers for server in stores.health()}
        assert time.monotonic() - began < 1.5
    finally:
        for process in both:
            process.signal(signal.SIGCONT)
    assert states == {"PostgreSQL": True, "Redis": False, "MongoDB": False}


def test_the_list_shows_a_dash_while_redis_is_down(sam, room, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1"
    answer = signed_in(sam).get("/admin/rooms/room/")
    assert answer.status_code == 200
    assert '<td class="field-here_now">–</td>' in answer.content.decode()


def test_a_full_chart_fits_and_an_empty_one_divides_by_nothing():
    assert bars([0, 0])[1].height == 0
    assert [bar.height for bar in bars([1, 4])] == [25.0, 100.0]
