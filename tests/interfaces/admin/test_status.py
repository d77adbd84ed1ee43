"""The status page of the admin: a verdict, and the last hour as charts and as a table."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from chattalk.models import MinuteFigure
from chattalk.status import page
from chattalk.status.minutes import minute_of
from messaging.followers.lag import Lag
from tests.interfaces.admin.conftest import signed_in

ACK = "chattalk_acknowledgement_seconds"


@pytest.fixture(autouse=True)
def led(monkeypatch):
    """No worker runs here."""
    monkeypatch.setattr(page, "lag", lambda name, _: Lag(name, 0, 0, timedelta(), 0, "host:1"))


def wrote(minutes_ago, **figures):
    at = minute_of(timezone.now() - timedelta(minutes=minutes_ago))
    for name, value in figures.items():
        MinuteFigure.objects.create(minute=at, name=name, value=value)


@pytest.fixture
def talk(db):
    for minutes_ago in range(1, 10):
        wrote(minutes_ago, chattalk_messages_total=90, **{f"{ACK}/0.005": 90})
    wrote(3, **{"chattalk_sockets/ws": 1234, "chattalk_store_state/redis/degraded": 1})


def shown(user, **headers):
    answer = signed_in(user).get("/admin/status/", **headers)
    assert answer.status_code == 200
    return answer


def test_where_nothing_is_wrong_it_says_so(boss, talk):
    text = shown(boss).content.decode()
    assert "All is well" in text and "Every store answers" in text
    assert signed_in(boss).get("/admin/").content.decode().count("All is well") == 1


def test_what_is_wrong_comes_first_with_what_to_do(boss, talk):
    wrote(2, **{f"{ACK}/2.5": 5, "chattalk_lock_timeouts_total": 1})
    text = shown(boss).content.decode()
    assert "2 things to look at" in text and "All is well" not in text
    assert text.index("gave up waiting for a row") < text.index("acknowledged late")
    assert text.index("pg_stat_activity") < text.index("<rect")
    first = signed_in(boss).get("/admin/").content.decode()
    assert "gave up waiting for a row" in first and "acknowledged late" not in first


def test_the_last_hour_is_drawn_and_stands_in_a_table(boss, talk):
    answer = shown(boss)
    text = answer.content.decode()
    charts = answer.context["charts"]
    assert text.count("<rect") == 60 * len(charts)
    assert text.count('role="img"') == len(charts) and "style=" not in text
    by_title = {chart.series.slug: chart for chart in charts}
    assert by_title["said"].last == "1.5"
    assert by_title["half"].last == by_title["acknowledged"].last == "5 ms"
    assert by_title["sockets"].most == "1,234"
    assert by_title["stores"].most == "1"
    rows = re.findall(r'<tr><th scope="row">\d\d:\d\d</th>(.*?)</tr>', text)
    assert len(rows) == 60 and rows[0].startswith("<td>1.5</td><td>5 ms</td>")
    assert set(re.findall("<td>(.*?)</td>", rows[-1])) == {"–"}, "nothing was written then"


def test_the_relay_is_drawn_where_there_is_kafka(boss, talk, settings):
    title = "Lines not in Kafka yet"
    assert title not in shown(boss).content.decode()
    settings.KAFKA = {"bootstrap.servers": "kafka:9092"}
    assert title in shown(boss).content.decode()
    settings.KAFKA = {}
    wrote(2, chattalk_relay_lag_lines=7)
    assert title in shown(boss).content.decode()


def test_it_stands_in_korean(boss, talk):
    text = shown(boss, HTTP_ACCEPT_LANGUAGE="ko").content.decode()
    assert "모두 정상입니다" in text and "초당 메시지" in text
    assert not re.search(r"<h2[^>]*>[A-Za-z ]+</h2>", text)


def test_it_is_for_staff(alice, sam, talk):
    assert signed_in(alice).get("/admin/status/").status_code == 302
    assert shown(sam)
