"""How passwords are kept: Argon2id, in turn, and no more at a time than there are cores for it.

A hash is tens of milliseconds of a core. A hundred people who sign in at once would take it from
all who are in already, and the database's connections with it; so few threads do it, and who waits
for them holds no connection. (Threads of lower priority starved on a machine with other work.) Who
wait are bounded, all of them and those of one: who comes too late is told when to come back.
"""

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from threading import Lock
from typing import TypeVar

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils.translation import gettext_lazy as _

from core import refusal_log
from core.rate_limits import too_fast

Answer = TypeVar("Answer")

PASSWORD_MAX = 256  # characters
WAITING_MAX = 64  # for each thread: 2 s of work, and more on a slow machine
OF_ONE_MAX = 2  # at the same time: what one person can need, with two devices
COME_BACK = 2  # seconds

# On whose behalf this request looks at passwords from here on: an address, a blank, an e-mail; of
# each only so many wait. Empty: nobody's, as in a command.
asked_by: ContextVar[str] = ContextVar("asked_by", default="")


def busy() -> ValidationError:
    text = _("Too many people sign in right now. Try again in a moment.")
    return ValidationError(text, code="unavailable", params={"retry_after": COME_BACK})


class MaximumLength:
    """A validator: no door lets in with a longer one, so none may set it."""

    def validate(self, password: str, user: object = None) -> None:
        """Raises ValidationError: password_too_long."""
        if len(password) > PASSWORD_MAX:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> str:
        return _("A password has at most %(most)d characters.") % {"most": PASSWORD_MAX}


class Turns:
    """Work that takes a core, a few at a time; of those who wait each has a share."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, "passwords")
        self._most = threads * WAITING_MAX  # with those whose turn it is
        self._lock = Lock()
        self._present: Counter[str] = Counter()
        self._all = 0

    def take(self, work: Callable[..., Answer], *given: object) -> Answer:
        """Raises ValidationError: rate_limited, unavailable."""
        self._enter(who := asked_by.get())
        try:
            return self._threads.submit(work, *given).result()
        finally:
            self._leave(who)

    def _enter(self, who: str) -> None:
        with self._lock:
            if who and self._present[who] >= OF_ONE_MAX:
                refusal_log.note("passwords, too many at once", who.partition(" ")[0])
                raise too_fast(COME_BACK)
            if self._all >= self._most:
                refusal_log.note("passwords, too many people at once", "everybody")
                raise busy()
            self._present[who] += 1
            self._all += 1

    def _leave(self, who: str) -> None:
        with self._lock:
            self._all -= 1
            self._present[who] -= 1
            if not self._present[who]:
                del self._present[who]


def threads(cores: int, workers: int) -> int:
    """This process's part of the machine: more would only take the cores from each other, and
    with them what they have in their caches."""
    return max(1, cores // workers)


_turns = Turns(threads(len(os.sched_getaffinity(0)), settings.WORKERS))


def _in_turn(work: Callable[..., Answer], *given: object) -> Answer:
    if not connection.in_atomic_block:
        connection.close()  # back to the pool
    return _turns.take(work, *given)


class Argon2(Argon2PasswordHasher):
    # What OWASP's Password Storage Cheat Sheet asks for: 30 ms and 19 MiB, not Django's 240 ms and
    # 100 MiB, of which a core bears four a second. A password kept otherwise is kept anew when its
    # owner signs in.
    time_cost, memory_cost, parallelism = 2, 19 * 1024, 1

    def encode(self, password: str, salt: str) -> str:
        return _in_turn(super().encode, password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        return _in_turn(super().verify, password, encoded)
