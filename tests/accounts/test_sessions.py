"""Whose sessions these are: the same judgement as Django's, for many at once."""

from datetime import timedelta

import pytest
from django.contrib import auth
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY
from django.contrib.sessions.backends.cached_db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.models import User
from tests.accounts.conftest import owners

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(params=["cached", "stored"], autouse=True)
def where(request):
    return request.param


@pytest.fixture
def sign_in(where):
    def signed_in(user, **changes):
        client = Client()
        client.force_login(user, backend=BACKEND)
        session = client.session
        session.update(changes)
        session.save()
        if where == "stored":
            cache.clear()
        return session.session_key

    return signed_in


def of_django(key):
    """What a page would make of it; asked last, for it deletes what it refuses."""
    request = RequestFactory().get("/")
    request.session = SessionStore(key)
    user = auth.get_user(request)
    return user if user.is_authenticated else None


def judged(key):
    (found,) = owners([key])
    assert found == of_django(key)
    return found


def test_each_is_whose_it_is(alice, bob, sign_in):
    keys = [sign_in(alice), sign_in(bob), sign_in(alice)]
    assert owners([keys[1], "nobodyssession", keys[0], keys[2]]) == [bob, None, alice, alice]
    assert [judged(key) for key in keys] == [alice, bob, alice]


def test_two_queries_for_all_and_one_when_they_are_kept(
    alice, bob, sign_in, where, django_assert_num_queries
):
    keys = [sign_in(user) for user in (alice, bob, alice)]
    with django_assert_num_queries(1 if where == "cached" else 2):
        owners(keys)
    with django_assert_num_queries(1):
        assert owners(keys) == [alice, bob, alice]


@pytest.mark.parametrize(
    "key", ["", "short", "x" * 41, "nul\0nulnul", "ÄÖÜäöüß1", "../../../etc", "'; DROP TABLE"]
)
def test_a_strange_key_is_nobodys_and_spoils_nothing(alice, sign_in, key):
    assert owners([key, sign_in(alice)]) == [None, alice]


def test_nobody_without_an_account_that_counts(alice, bob, sign_in):
    deactivated, deleted = sign_in(alice), sign_in(bob)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    User.objects.filter(pk=bob.pk).delete()
    assert judged(deactivated) is None
    assert judged(deleted) is None


@pytest.mark.parametrize(
    "changes",
    [
        {HASH_SESSION_KEY: "f" * 64},
        {HASH_SESSION_KEY: ""},
        {BACKEND_SESSION_KEY: "of.another.site"},
    ],
)
def test_a_session_that_says_something_else_is_nobodys(alice, sign_in, changes):
    assert judged(sign_in(alice, **changes)) is None


def test_a_new_password_or_a_sign_out_everywhere_ends_it(alice, bob, sign_in):
    of_alice, of_bob = sign_in(alice), sign_in(bob)
    alice.set_password("another one entirely")
    alice.save()
    User.objects.filter(pk=bob.pk).update(sign_outs=1)
    assert judged(of_alice) is None
    assert judged(of_bob) is None


def test_a_session_of_an_older_secret_key_counts_while_that_is_a_fallback(alice, sign_in, settings):
    key, old = sign_in(alice), settings.SECRET_KEY
    settings.SECRET_KEY = "n" * 50
    cache.clear()
    assert owners([key]) == [None]
    settings.SECRET_KEY_FALLBACKS = [old]
    cache.clear()
    assert judged(key) == alice


def test_a_session_ends_in_its_time_and_by_signing_out(alice, bob, sign_in):
    of_alice, of_bob = sign_in(alice), sign_in(bob)
    Session.objects.filter(pk=of_alice).update(expire_date=timezone.now() - timedelta(seconds=1))
    cache.clear()
    SessionStore(of_bob).delete()
    assert judged(of_alice) is None
    assert judged(of_bob) is None


def test_what_is_tampered_with_is_nobodys(alice, sign_in):
    key = sign_in(alice)
    cache.clear()
    Session.objects.filter(pk=key).update(session_data="forged" + "A" * 30)
    assert judged(key) is None
