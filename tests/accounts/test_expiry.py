"""`manage.py tidy`: what has expired goes, what still counts stays."""

from datetime import timedelta
from io import StringIO

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.sessions.backends.cached_db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts import expiry
from accounts.models import Device


def ago(**span):
    return timezone.now() - timedelta(**span)


def session(expires):
    store = SessionStore()
    store.save()
    Session.objects.filter(pk=store.session_key).update(expire_date=expires)
    return store.session_key


def run(*options):
    call_command("tidy", *options, stdout=(out := StringIO()))
    return dict(reversed(line.split(None, 1)) for line in out.getvalue().splitlines())


def test_what_has_expired_goes_in_batches(alice, monkeypatch):
    monkeypatch.setattr(expiry, "BATCH_MAX", 2)
    mine = session(ago(days=-1))
    for _ in range(5):
        session(ago(seconds=1))
        Device.objects.create(user=alice, expires_at=ago(seconds=1))
    phone = Device.objects.create(user=alice, expires_at=ago(days=-1))
    said = run()
    assert (said["expired sessions deleted"], said["expired devices deleted"]) == ("5", "5")
    assert [one.pk for one in Session.objects.all()] == [mine]
    assert list(Device.objects.all()) == [phone]


def test_attempts_go_after_a_day_and_the_log_of_sign_ins_after_ninety(db):
    for number, at in enumerate([ago(minutes=1), ago(days=2), ago(days=91)]):
        attempt = AccessAttempt.objects.create(
            username="alice@example.com", user_agent=f"{number}", failures_since_start=5
        )
        AccessAttempt.objects.filter(pk=attempt.pk).update(attempt_time=at)
        for model in (AccessLog, AccessFailureLog):
            model.objects.filter(pk=model.objects.create(username="a").pk).update(attempt_time=at)
    said = run()
    assert said["attempts to sign in deleted"] == "2" and AccessAttempt.objects.count() == 1
    assert said["lines on sign-ins deleted"] == said["lines on failed sign-ins deleted"] == "1"
    assert run("--log-days", "1")["lines on sign-ins deleted"] == "1"


def test_nonsense_is_refused(db):
    with pytest.raises(CommandError):
        run("--log-days", "-1")
