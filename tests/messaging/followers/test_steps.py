"""One step of a follower: in order, at least once, none skipped, never twice by a position."""

import logging
import threading
import time
from contextlib import closing
from datetime import timedelta

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone

from core.postgresql.breaker import knocking
from messaging import log, services
from messaging.followers import follower, positions, steps
from messaging.followers.lag import lag
from messaging.followers.positions import Move, Overtaken
from messaging.models import FollowerPosition, FollowerRecord
from rooms.models import Room
from tests.messaging.followers.conftest import Recorder, follow, say


def position(room, name="recorder") -> int:
    return FollowerPosition.objects.get(follower=name, room=room).seq


def test_every_line_comes_once_and_in_the_order_of_its_room(room, alice, recorder):
    say(room, alice, *map(str, range(500)))
    follow(recorder)
    say(room, alice, "and one more")
    follow(recorder)
    assert recorder.seqs(room) == list(range(1, 504))
    assert recorder.lines[-1].body == "and one more" and recorder.lines[-1].sender.id == alice.pk
    assert position(room) == 503


def test_a_step_ends_with_its_lines_and_with_its_bytes(room, alice, recorder):
    steps.begin(recorder)
    say(room, alice, *["x" * 4_000] * 40, *["y"] * 300)
    sizes = []
    while step := steps.take(recorder, [room.pk]):
        sizes.append(step.lines)
        assert step.more == ({room.pk} if position(room) < 342 else set())
        if not step.more:
            break
    assert sizes[0] == 2 + 17  # 16 × 4,000 bytes are less than 64 KiB
    assert max(sizes) == follower.LINES_MAX and recorder.seqs(room) == list(range(1, 343))


def test_a_text_longer_than_a_step_does_not_stop_it(room, alice, recorder, monkeypatch):
    monkeypatch.setattr(follower, "BYTES_MAX", 10)
    say(room, alice, "x" * 100, "short")
    follow(recorder)
    assert recorder.seqs(room) == [1, 2, 3, 4]


def test_many_rooms_go_on_in_one_step_and_each_has_its_own_order(room, alice, recorder):
    other = services.open_room(alice, title="Other")
    for number in range(5):
        say(room, alice, f"{number}")
        say(other, alice, f"{number}")
    follow(recorder)
    assert recorder.seqs(room) == list(range(1, 8))
    assert recorder.seqs(other) == list(range(1, 7))


def test_what_an_effect_raises_undoes_the_step_whole(room, alice, recorder):
    follow(recorder)
    say(room, alice, "good", "poison")
    recorder.fails_at = {"poison"}
    with pytest.raises(ZeroDivisionError):
        steps.take(recorder, [room.pk])
    assert position(room) == 2
    recorder.fails_at = set()
    follow(recorder)
    assert recorder.seqs(room) == [1, 2, 3, 4]


def test_nobody_moves_a_position_from_where_it_no_longer_is(room, alice, recorder):
    follow(recorder)
    say(room, alice, "one")
    apply = recorder.apply

    def overtaken(lines):
        FollowerPosition.objects.filter(room=room).update(seq=3)
        apply(lines)

    recorder.apply = overtaken
    with pytest.raises(Overtaken), transaction.atomic():
        steps.take(recorder, [room.pk])
    with pytest.raises(Overtaken), transaction.atomic():
        positions.advance("recorder", {room.pk: Move(1, 3)})
    assert position(room) == 2


def test_while_one_takes_a_step_no_other_does(room, alice, recorder):
    """A leader that stands still in the middle, and one that took over."""
    follow(recorder)
    say(room, alice, "one")
    inside, over = threading.Event(), threading.Event()
    slow = Recorder()
    slow.apply = lambda lines: (inside.set(), over.wait(10))
    stepping = threading.Thread(target=_stepped, args=(slow, room))
    stepping.start()
    try:
        assert inside.wait(10)
        assert steps.take(recorder, [room.pk]) is None
        assert steps.take(Recorder("other"), [room.pk]) is not None
    finally:
        over.set()
        stepping.join()
    assert steps.take(recorder, [room.pk]).lines == 0
    assert position(room) == 3


def _stepped(follower, room):
    with closing(connection):
        steps.take(follower, [room.pk])


def test_pruned_lines_are_passed_told_and_counted(room, alice, recorder, caplog):
    say(room, alice, "1", "2", "3", "4")
    room.events.filter(seq__lte=4).delete()
    with caplog.at_level(logging.WARNING):
        follow(recorder)
    assert recorder.seqs(room) == [5, 6] and position(room) == 6
    room.events.all().delete()
    say(room, alice, "5")
    room.events.all().delete()  # nothing is left to show where the log ends
    with caplog.at_level(logging.WARNING):
        follow(recorder)
    assert position(room) == 7
    assert [record.getMessage() for record in caplog.records] == [
        f"the follower recorder goes on after 4 pruned lines of room {room.pk}",
        f"the follower recorder goes on after 1 pruned lines of room {room.pk}",
    ]
    assert FollowerRecord.objects.get().missed == lag("recorder").missed == 5


def test_a_new_follower_begins_where_it_says(room, alice):
    early, late = Recorder("early"), Recorder("late", starts_at="now")
    quiet = services.open_room(alice, title="Quiet", seat_owner=False)
    say(room, alice, "before")
    follow(early)
    follow(late)
    say(room, alice, "after")
    say(quiet, alice, "first")
    newer = services.open_room(alice, title="Newer")
    follow(early)
    follow(late)
    assert early.seqs(room) == [1, 2, 3, 4] and late.seqs(room) == [4]
    assert late.seqs(quiet) == [1] and late.seqs(newer) == [1]


def test_followers_of_different_names_do_not_know_each_other(room, alice):
    one, other = Recorder("one"), Recorder("other")
    other.fails_at = {"poison"}
    say(room, alice, "poison")
    follow(one)
    with pytest.raises(ZeroDivisionError):
        follow(other)
    assert (position(room, "one"), one.seqs(room)) == (3, [1, 2, 3])
    assert not FollowerPosition.objects.filter(follower="other").exists()


def test_a_room_that_goes_takes_its_positions_along(room, alice, recorder):
    follow(recorder)
    room.memberships.all().delete()
    room.events.all().delete()
    room.delete()
    assert not FollowerPosition.objects.exists()
    assert steps.take(recorder, [room.pk]) == steps.TakenStep(0, set())


def test_the_lag_is_rooms_lines_and_the_age_of_the_oldest(room, alice, recorder):
    follow(recorder)
    assert lag("recorder")[1:4] == (0, 0, lag("recorder").age) and not lag("recorder").seconds
    say(room, alice, "one", "two")
    other = services.open_room(alice, title="Other")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE messaging_event SET created_at = now() - interval '1 minute'")
    found = lag("recorder")
    assert (found.rooms, found.lines, found.is_late) == (2, 3, True)
    assert 60 <= found.seconds < 120 and found.runs_at is None
    follow(recorder)
    assert not lag("recorder").is_late and recorder.seqs(other) == [1]


OF = {
    "follower_position_once": "messaging_followerposition",
    "room_open_by_activity": "active_at",
    "event_seq_once": "messaging_event",
}


@pytest.fixture
def many_rooms(room, alice):
    """Enough for the planner to take indexes, in which nothing has happened lately."""
    long_ago = timezone.now() - timedelta(days=1)
    rooms = Room.objects.bulk_create(
        Room(title="Tea", owner=alice, last_seq=1, active_at=long_ago) for _ in range(3_000)
    )
    FollowerPosition.objects.bulk_create(
        FollowerPosition(follower="x", room=one, seq=1) for one in rooms
    )
    for one in rooms[:200]:
        log.append(one.pk, "message", [alice.pk] * 20, "hello")
    Room.objects.filter(pk__in=[one.pk for one in rooms]).update(active_at=long_ago)
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE rooms_room, messaging_followerposition, messaging_event, accounts_user"
        )


def plan_of(statement):
    params = {"name": "x", "limit": 1, "bytes": 1, "rooms": [1], "afters": [0]}
    with transaction.atomic(), connection.cursor() as cursor:
        # Few people are here, and all of them are read at once where that is known to be cheaper.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + statement, params)
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize("statement", [positions._BEHIND_LATELY, positions._POSITIONS, log.FOLLOW])
def test_a_step_lives_on_its_indexes(many_rooms, statement):
    plan = plan_of(statement)
    assert "Seq Scan" not in plan
    for name in OF:
        assert (name in plan) == (OF[name] in statement)


def test_a_look_at_what_grew_lately_reads_no_further(many_rooms):
    assert "Index Cond: (active_at > " in plan_of(positions._BEHIND_LATELY)


def test_a_lost_connection_frees_the_step(room, recorder):
    """Who dies in the middle holds up nobody."""
    dying = psycopg.connect(**knocking())
    dying.execute(positions._ALONE, {"name": "recorder"})
    assert steps.take(recorder, [room.pk]) is None
    dying.close()  # without a COMMIT
    deadline = time.monotonic() + 10
    while (taken := steps.take(recorder, [room.pk])) is None:
        assert time.monotonic() < deadline
    assert taken.lines == 2
