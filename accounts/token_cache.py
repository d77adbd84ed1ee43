"""What Redis keeps of sign-ins by token: verified tokens for a while, and tickets.

Nothing here is the truth. What was verified counts only under its person's stamp of then, and a
change of the person or the end of a device makes a new stamp; so no key has to be found and
deleted, and one that is written late, from older knowledge, counts for nothing. While Redis is down
every token is verified anew.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import uuid4

from django.conf import settings
from django.core.cache import caches
from django_redis import get_redis_connection
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError

STAMP_SECONDS = 2 * 3600  # longer than any access token lives
TICKET_SECONDS = 30
RETRY_SECONDS = 0.5
FAILURES = (ConnectionInterrupted, RedisError, OSError)

Answer = TypeVar("Answer")


class Down(Exception):
    """Redis does not answer."""


def _token(digest: str, user_id: int) -> str:
    """Tagged: in a cluster it lies where the stamp does, with which it is read."""
    return f"{{person:{user_id}}}:token:{digest}"


def _stamp(user_id: int) -> str:
    return f"{{person:{user_id}}}:stamp"


def find(digest: str, user_id: int) -> tuple[Any, str]:
    """What is known of a token, or None; and its person's stamp, for `keep`. Raises Down."""
    found = _ask(lambda: caches["tokens"].get_many(names(digest, user_id)))
    return known(found, digest, user_id)


def names(digest: str, user_id: int) -> list[str]:
    """The keys of what is known of a token, as `known` takes it from what they hold."""
    return [_token(digest, user_id), _stamp(user_id)]


def known(found: Mapping[str, Any], digest: str, user_id: int) -> tuple[Any, str]:
    """As `find`."""
    current = found.get(_stamp(user_id), "")
    kept, kept_under = found.get(_token(digest, user_id), (None, ""))
    return (kept if current and kept_under == current else None), current


def keep(digest: str, user_id: int, stamp: str, facts: Any, seconds: float) -> None:
    """`stamp` is what `find` gave, before the facts were looked at. Raises Down."""
    if not stamp:  # where another is quicker to make one, what is kept here counts for nothing
        stamp = uuid4().hex
        _ask(lambda: caches["tokens"].add(_stamp(user_id), stamp, STAMP_SECONDS))
    _ask(lambda: caches["tokens"].set(_token(digest, user_id), (facts, stamp), seconds))


def forget(user_id: int) -> None:
    """From here on nothing counts that was verified of this person, in any process.

    While Redis is down nobody can read it; and before it is read again it must have heard of this.
    """
    stamp = uuid4().hex
    try:
        _restamp(user_id, stamp)
    except Down:
        threading.Thread(target=_forget_later, args=(user_id, stamp), daemon=True).start()


def _restamp(user_id: int, stamp: str) -> None:
    with settings.REDIS_BREAKER.insisting():
        _ask(lambda: caches["tokens"].set(_stamp(user_id), stamp, STAMP_SECONDS))


def _forget_later(user_id: int, stamp: str) -> None:
    end = time.monotonic() + STAMP_SECONDS
    while time.monotonic() < end:
        time.sleep(RETRY_SECONDS)
        try:
            return _restamp(user_id, stamp)
        except Down:
            continue  # it was said once that Redis is down


def put_ticket(digest: str, device_id: str) -> None:
    """Raises Down."""
    redis = get_redis_connection("tokens")
    _ask(lambda: redis.set(f"chattalk:ticket:{digest}", device_id, ex=TICKET_SECONDS))


def take_ticket(digest: str) -> str | None:
    """The device that the ticket was made for; the ticket is gone after that. Raises Down."""
    redis = get_redis_connection("tokens")
    found = _ask(lambda: redis.getdel(f"chattalk:ticket:{digest}"))
    return found.decode() if found else None


def _ask(question: Callable[[], Answer]) -> Answer:
    try:
        return question()
    except FAILURES as error:
        raise Down from error
