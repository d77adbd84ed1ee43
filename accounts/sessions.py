"""The owners of many sessions at once, each session judged as Django judges one."""

import logging
from collections.abc import Collection, Iterable
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.cached_db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.utils import timezone

from accounts import validity
from accounts.models import User
from core.postgresql.reads import Reads
from core.redis.async_cache import FAILURES, AsyncCache
from core.text import first_line

logger = logging.getLogger(__name__)

KEY_MIN, KEY_MAX = 8, 40  # characters
# In the order of the model's columns, as `from_db` wants them.
FIELDS = ("id", "password", "email", "display_name", "language", "is_active", "sign_outs")
# Uses index: accounts_user_pkey.
PEOPLE = f"SELECT {', '.join(FIELDS)} FROM accounts_user WHERE id = ANY (%(users)s::bigint[])"

Held = dict[str, Any]  # what is in a session


class Owners:
    """Finds them for an event loop, which it belongs to."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._kept = AsyncCache(settings.SESSION_CACHE_ALIAS)

    async def of(self, keys: Collection[str]) -> list[User | None]:
        """The person signed in by each key: as `django.contrib.auth.get_user`, but it only reads,
        and of the person only FIELDS.

        Two queries at most: for the sessions that are not in the cache, and for the people.
        """
        sessions = await self._load({key for key in keys if _may_be_one(key)})
        ids = {int(user_id) for held in sessions.values() if (user_id := held.get(SESSION_KEY))}
        rows = await self._reads.rows(PEOPLE, users=list(ids)) if ids else ()
        people = {row[0]: User.from_db("default", FIELDS, row) for row in rows}
        found = {key: validity.session_owner(held, people) for key, held in sessions.items()}
        return [found.get(key) for key in keys]

    async def _load(self, keys: set[str]) -> dict[str, Held]:
        """Those that are there, from the cache or the database, as SessionStore.load has them."""
        prefix = SessionStore.cache_key_prefix
        try:
            kept = await self._kept.get_many([prefix + key for key in keys])
        except FAILURES as error:  # the database has them, too
            logger.info("sessions are looked up without Redis: %s", first_line(error))
            kept = {}
        found = {name.removeprefix(prefix): held for name, held in kept.items()}
        if missing := keys - found.keys():
            found |= await database_sync_to_async(_look)(missing)
        return found

    async def close(self) -> None:
        await self._kept.close()


def _may_be_one(key: str) -> bool:
    """Anybody may send anything; one strange key must not spoil the question of all."""
    return KEY_MIN <= len(key) <= KEY_MAX and key.isascii() and key.isalnum()


def _look(keys: Iterable[str]) -> dict[str, Held]:
    """In the database; kept in the cache from here on."""
    now, store = timezone.now(), SessionStore()
    rows = list(Session.objects.filter(session_key__in=keys, expire_date__gt=now))
    found = {row.session_key: store.decode(row.session_data) for row in rows}
    if rows:  # together, so each no longer than the one that ends first; it is read again then
        left = min(store.get_expiry_age(expiry=row.expire_date) for row in rows)
        prefix = SessionStore.cache_key_prefix
        named = {prefix + key: held for key, held in found.items()}
        caches[settings.SESSION_CACHE_ALIAS].set_many(named, left)
    return found
