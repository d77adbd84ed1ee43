"""The counters are the log's: whatever happened, and in whatever steps they came to it."""

import random
from datetime import timedelta

import pytest
from django.utils import timezone

from messaging import log, services
from messaging.followers import counters as module
from messaging.followers import positions, steps
from messaging.followers.lag import lag
from messaging.log.kinds import UNREAD, Kind
from messaging.models import Event, LastMessage, MinuteCount
from tests.messaging.followers.conftest import follow, say


def counted():
    last = dict(LastMessage.objects.values_list("room", "at"))
    return last, dict(MinuteCount.objects.values_list("minute", "messages"))


def in_log():
    """The same by looking at every line."""
    last, minutes = {}, {}
    for event in Event.objects.filter(kind__in=UNREAD).order_by("seq"):
        last[event.room_id] = event.created_at
        minute = event.created_at.replace(second=0, microsecond=0)
        minutes[minute] = minutes.get(minute, 0) + 1
    return last, minutes


@pytest.mark.parametrize("seed", range(5))
def test_they_equal_a_count_over_the_log_after_a_random_history(alice, bob, counters, seed):
    dice = random.Random(seed)
    rooms = [services.open_room(alice, title=f"{number}") for number in range(4)]
    for _ in range(60):
        act, room = dice.randrange(6), dice.choice(rooms)
        if act < 3:
            say(room, alice, *["hello"] * dice.randrange(1, 40))
        elif act == 3:
            services.join(room.pk, bob)
        elif act == 4 and steps.begin(counters):
            steps.take(counters, dice.sample([room.pk for room in rooms], 2))
        else:
            log.append(room.pk, Kind.OWNER, [alice.pk])
    follow(counters)
    assert counted() == in_log()


def test_on_an_old_site_they_begin_with_what_was_said_before(room, alice, bob, counters):
    other = services.open_room(alice, title="Nothing was said")
    say(room, alice, "long ago", "a while ago", "just now")
    now = timezone.now()
    for seq, minutes in ((3, 61), (4, 5)):
        room.events.filter(seq=seq).update(created_at=now - timedelta(minutes=minutes))
    assert steps.begin(counters)
    assert positions.behind("counters", after=0, limit=10) == []
    last, minutes = in_log()
    assert counted()[0] == last and other.pk not in last
    assert sum(counted()[1].values()) == 2  # of the last hour
    assert counted()[1].items() <= minutes.items()
    say(room, bob, "and on")
    follow(counters)
    assert sum(counted()[1].values()) == 3 and counted()[0] == in_log()[0]


def test_what_is_said_while_they_begin_is_counted_once(room, alice, counters, monkeypatch):
    say(room, alice, "before")
    begin = counters.begin

    def meanwhile():
        say(room, alice, "after the positions were written")
        begin()

    monkeypatch.setattr(counters, "begin", meanwhile)
    follow(counters)
    assert counted() == in_log()


def test_only_what_the_lobby_counts_as_said_moves_them(room, bob, counters):
    services.leave(room.pk, bob)
    follow(counters)
    assert counted() == ({}, {})


def test_minutes_older_than_a_day_go(room, alice, counters):
    old = timezone.now() - timedelta(days=2)
    follow(counters)
    MinuteCount.objects.create(minute=module.minute_of(old), messages=7)
    say(room, alice, "of yesterday", "of today")
    room.events.filter(seq=3).update(created_at=old)
    follow(counters)
    assert list(MinuteCount.objects.values_list("messages", flat=True)) == [1]
    assert LastMessage.objects.get().at == room.events.get(seq=4).created_at


def test_they_are_asked_by_the_minute(room, alice, counters):
    say(room, alice, "one", "two")
    follow(counters)
    now = timezone.now()
    assert sum(module.by_minute(now - timedelta(minutes=2)).values()) == 2
    assert module.by_minute(now + timedelta(minutes=2)) == {}


def test_pruned_lines_are_passed_by_counters_too(room, alice, counters, monkeypatch):
    monkeypatch.setattr(module, "LINES_MAX", 3)
    follow(counters)
    say(room, alice, *"abcdefgh")
    room.events.filter(seq__lte=8).delete()
    follow(counters)
    assert counted() == in_log() and lag("counters")[1:3] == (0, 0)
    assert lag("counters").missed == 6  # from the third line on
