"""The owners of many sessions at once, each session judged as Django judges one."""

from collections.abc import Collection, Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.cached_db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.utils import timezone

from accounts import validity
from accounts.models import User

KEY_MIN, KEY_MAX = 8, 40  # characters

Held = dict[str, Any]  # what is in a session


def owners(keys: Collection[str]) -> list[User | None]:
    """The person signed in by each key: as `django.contrib.auth.get_user`, but it only reads.

    Two queries at most: for the sessions that are not in the cache, and for the people.
    """
    sessions = _load({key for key in keys if _may_be_one(key)})
    ids = {user_id for held in sessions.values() if (user_id := held.get(SESSION_KEY))}
    people = User.objects.in_bulk(list(ids))
    found = {key: validity.session_owner(held, people) for key, held in sessions.items()}
    return [found.get(key) for key in keys]


def _may_be_one(key: str) -> bool:
    """Anybody may send anything; one strange key must not spoil the question of all."""
    return KEY_MIN <= len(key) <= KEY_MAX and key.isascii() and key.isalnum()


def _load(keys: Collection[str]) -> dict[str, Held]:
    """Those that are there, from the cache or the database, as SessionStore.load has them."""
    prefix, cache = SessionStore.cache_key_prefix, caches[settings.SESSION_CACHE_ALIAS]
    cached = cache.get_many([prefix + key for key in keys])
    found = {name.removeprefix(prefix): held for name, held in cached.items()}
    if missing := [key for key in keys if key not in found]:
        found |= _look(missing)
    return found


def _look(keys: Iterable[str]) -> dict[str, Held]:
    now, store = timezone.now(), SessionStore()
    rows = list(Session.objects.filter(session_key__in=keys, expire_date__gt=now))
    found = {row.session_key: store.decode(row.session_data) for row in rows}
    if rows:  # together, so each no longer than the one that ends first; it is read again then
        left = min(store.get_expiry_age(expiry=row.expire_date) for row in rows)
        prefix = SessionStore.cache_key_prefix
        named = {prefix + key: held for key, held in found.items()}
        caches[settings.SESSION_CACHE_ALIAS].set_many(named, left)
    return found
