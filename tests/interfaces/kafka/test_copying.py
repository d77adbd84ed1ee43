"""Which lines the relay hands to Kafka, and which rooms it stops; Kafka is stood in for here."""

import json
import logging
from datetime import datetime

import pytest
from django.db import connection

from interfaces.kafka import copying as module
from interfaces.kafka.copying import Copying
from messaging import log, services


class Recorder:
    """In the place of Kafka: what was committed."""

    has_begun = True

    def __init__(self):
        self.lines, self.positions, self.commits, self.is_away = [], {}, 0, False

    def begin(self):
        return dict(self.positions)

    def send(self, lines, positions):
        if self.is_away:
            raise ConnectionError
        self.lines += [int(key) for key, _value in lines]
        self.positions |= positions
        self.commits += 1


@pytest.fixture
def kafka():
    return Recorder()


@pytest.fixture
def copying(kafka):
    return Copying(kafka)


@pytest.fixture
def room(alice):
    """Its owner's seat is the first line."""
    return services.open_room(alice, title="Tea", capacity=9)


@pytest.fixture
def other(alice):
    return services.open_room(alice, title="Coffee", capacity=9)


def say(room, user, *bodies):
    for body in bodies:
        log.append(room.pk, "message", [user.pk], body)


def run(sql, *params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def catch_up(copying):
    copying.begin()
    copying.look_everywhere()
    while copying.has_work:
        copying.step()


def test_each_line_is_handed_on_once(copying, kafka, room, other, alice):
    say(room, alice, "one", "two")
    catch_up(copying)
    say(room, alice, "three")
    catch_up(copying)
    assert sorted(kafka.lines) == sorted([room.pk] * 4 + [other.pk])
    assert kafka.positions[room.pk].seq == 4 and copying.progress.lines == 5


def test_a_hint_is_enough(copying, kafka, room, alice):
    catch_up(copying)
    say(room, alice, "one")
    copying.hint([room.pk])
    copying.step()
    assert kafka.positions[room.pk].seq == 2 and not copying.has_work


def test_hints_that_wait_for_kafka_are_as_many_as_there_are_rooms(copying, room, other):
    for _ in range(1_000):
        copying.hint([room.pk, other.pk])
    assert len(copying._hinted) == 2


def test_a_loud_room_takes_turns_with_the_others(copying, kafka, room, other, alice, monkeypatch):
    monkeypatch.setattr(module, "LINES_MAX", 2)
    monkeypatch.setattr(module, "LINES_MIN", 2)
    say(room, alice, *map(str, range(5)))
    catch_up(copying)
    assert kafka.lines.index(other.pk) < 4 and kafka.positions[room.pk].seq == 6
    assert kafka.commits > 1


def test_what_failed_is_not_counted_as_done(copying, kafka, room, alice):
    say(room, alice, "one")
    copying.begin()
    copying.look_everywhere()
    kafka.is_away = True
    with pytest.raises(ConnectionError):
        copying.step()
    assert copying.progress.lag_lines == 2 and copying.progress.lag_seconds > 0
    kafka.is_away = False
    catch_up(copying)
    assert kafka.lines == [room.pk] * 2
    assert copying.progress.lag_lines == 0 and copying.progress.lag_seconds == 0


def test_pruned_lines_are_told_and_counted_and_the_rest_goes_on(
    copying, kafka, room, alice, caplog
):
    catch_up(copying)
    say(room, alice, "one", "two", "three")
    run("DELETE FROM messaging_event WHERE room_id = %s AND seq < 4", room.pk)
    with caplog.at_level(logging.WARNING, "interfaces.kafka"):
        catch_up(copying)
    assert kafka.lines.count(room.pk) == 2 and kafka.positions[room.pk].seq == 4
    assert copying.progress.missed == 2
    assert "2 lines were pruned" in caplog.text
    run("DELETE FROM messaging_event WHERE room_id = %s", room.pk)
    say(room, alice, "four")
    run("DELETE FROM messaging_event WHERE room_id = %s", room.pk)
    catch_up(copying)
    assert kafka.positions[room.pk].seq == 5 and copying.progress.missed == 3
    say(room, alice, "five")  # after a line of which nothing is known but its number
    catch_up(copying)
    assert kafka.positions[room.pk].seq == 6 and copying.progress.rooms_stopped == 0


@pytest.fixture
def set_back(copying, kafka, room, other, alice):
    """The database is brought back to an earlier state of one room."""
    say(room, alice, "one", "two")
    catch_up(copying)
    run("DELETE FROM messaging_event WHERE room_id = %s AND seq > 1", room.pk)
    run("UPDATE rooms_room SET last_seq = 1 WHERE id = %s", room.pk)
    kafka.lines.clear()


def test_a_log_that_has_gone_back_is_stopped_and_the_others_go_on(
    copying, kafka, room, other, alice, set_back, caplog
):
    say(other, alice, "still here")
    catch_up(copying)
    assert list(copying.progress.stopped) == [room.pk]
    assert kafka.lines == [other.pk] and kafka.positions[room.pk].seq == 3
    [told] = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert f"room {room.pk}" in told.getMessage()


def test_a_log_that_has_gone_back_and_grown_since_is_stopped_too(
    copying, kafka, room, alice, set_back
):
    say(room, alice, "another two", "another three", "another four")
    catch_up(copying)
    assert list(copying.progress.stopped) == [room.pk] and kafka.lines == []


def test_it_is_found_by_a_hint_alone(copying, kafka, room, alice, set_back):
    say(room, alice, "another two", "another three", "another four")
    copying.hint([room.pk])
    copying.step()
    assert list(copying.progress.stopped) == [room.pk] and kafka.lines == []


def test_people_may_let_it_go_on_with_what_is_said_from_now_on(
    copying, kafka, room, alice, set_back
):
    say(room, alice, "another two", "another three", "another four")
    copying.begin()
    assert copying.skip_to_head(room.pk)
    say(room, alice, "from now on")
    catch_up(copying)
    assert kafka.lines == [room.pk] and copying.progress.rooms_stopped == 0
    assert not copying.skip_to_head(2**40)


def test_a_look_at_too_many_rooms_becomes_one_at_all(copying, room, other, monkeypatch):
    copying.begin()
    assert copying.look_lately()
    monkeypatch.setattr(module, "LATELY_MAX", 1)
    assert not copying.look_lately()
    monkeypatch.setattr(module, "PAGE", 1)
    copying.look_everywhere()
    assert {room.pk, other.pk} <= set(copying.progress.heads)


@pytest.mark.parametrize(
    "statement, params, index",
    [
        (log.LINES, {"rooms": [1], "lasts": [5], "limit": 50}, "event_seq_once"),
    ],
)
def test_it_reads_by_its_index(db, statement, params, index):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {statement}", params)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert index in plan and "Seq Scan on messaging_event" not in plan


def test_a_line_is_told_as_every_door_tells_it(kafka, copying, room, alice, monkeypatch):
    say(room, alice, "one")
    values = []
    monkeypatch.setattr(kafka, "send", lambda lines, _positions: values.extend(lines))
    catch_up(copying)
    told = json.loads(values[-1][1])
    [event], _more = log.page(room.pk, before=None, after=1, limit=1, most=1)
    assert datetime.fromisoformat(told["at"]) == event.at and told["sender"] == alice.pk
    assert (told["room"], told["seq"], told["body"]) == (room.pk, 2, "one")
