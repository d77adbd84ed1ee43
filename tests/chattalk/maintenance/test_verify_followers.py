"""`manage.py verify` and the counters; and a backup that has both."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.followers.counters import Counters
from messaging.models import FollowerPosition, LastMessage, MinuteCount
from tests.chattalk.maintenance.test_verify import found
from tests.messaging.followers.conftest import follow


@pytest.fixture
def followed(room):
    follow(Counters())
    return room


def test_counters_that_are_right_are_called_right_also_while_they_are_behind(followed, bob, say):
    assert MinuteCount.objects.count() in (1, 2) and found() == {}
    say(followed, bob)
    assert found() == {}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("follower_ahead", lambda: FollowerPosition.objects.update(seq=8)),
        ("last_message_wrong", lambda: LastMessage.objects.update(at=timezone.now())),
        ("last_message_wrong", lambda: LastMessage.objects.all().delete()),
        ("minute_wrong", lambda: MinuteCount.objects.update(messages=9)),
        ("minute_wrong", lambda: MinuteCount.objects.all().delete()),
    ],
)
def test_each_that_is_wrong_is_found(followed, name, change):
    change()
    assert set(found()) == {name}


def test_what_was_counted_and_pruned_is_no_fault(followed):
    followed.events.all().delete()
    wrong = {"beginning_missing", "last_message_wrong", "minute_wrong"}
    assert set(found()) == wrong and found(pruned=True) == {}


def test_minutes_that_nobody_looks_at_any_more_are_not_judged(followed):
    old = timezone.now() - timedelta(hours=3)
    MinuteCount.objects.create(minute=old.replace(second=0, microsecond=0), messages=1)
    assert found() == {}
