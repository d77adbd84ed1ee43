from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from messaging import log
from messaging.management.commands import prunemessages


@pytest.fixture
def old_and_new(room, alice):
    for i in range(7):
        log.append(room.pk, "message", [alice.pk], f"{i}")
    room.events.filter(seq__lte=6).update(created_at=timezone.now() - timedelta(days=10))
    return room


def prune(**options) -> str:
    call_command("prunemessages", stdout=(out := StringIO()), **options)
    return out.getvalue()


def kept(room):
    return list(room.events.order_by("seq").values_list("seq", flat=True))


def test_by_default_everything_is_kept(old_and_new):
    assert "nothing was deleted" in prune()
    assert kept(old_and_new) == list(range(1, 10))


def test_what_is_older_goes_in_batches_and_says_so(old_and_new, settings, monkeypatch):
    settings.MESSAGE_KEEP_DAYS = 7
    monkeypatch.setattr(prunemessages, "BATCH_MAX", 4)
    said = prune()
    assert kept(old_and_new) == [7, 8, 9]
    assert "4 events deleted" in said and "Deleted 6 events" in said


def test_the_log_goes_on_after_the_pruned(old_and_new, alice):
    prune(days=7)
    assert log.append(old_and_new.pk, "message", [alice.pk], "next")[0].seq == 10


def test_nonsense_is_refused():
    with pytest.raises(CommandError):
        prune(days=-1)
