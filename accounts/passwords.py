"""How passwords are kept: Argon2id, as many at a time as there are cores.

A hash is tens of milliseconds of a core. A hundred people who sign in at once would take it from
all who are in already, and the database's connections with it; so few threads do it, and who waits
for them holds no connection. (Threads of lower priority starved on a machine with other work.)
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection

Answer = TypeVar("Answer")

_threads = ThreadPoolExecutor(len(os.sched_getaffinity(0)), "passwords")


def _in_turn(work: Callable[..., Answer], *given: object) -> Answer:
    if not connection.in_atomic_block:
        connection.close()  # back to the pool
    return _threads.submit(work, *given).result()


class Argon2(Argon2PasswordHasher):
    # What OWASP's Password Storage Cheat Sheet asks for: 30 ms and 19 MiB, not Django's 240 ms and
    # 100 MiB, of which a core bears four a second. A password kept otherwise is kept anew when its
    # owner signs in.
    time_cost, memory_cost, parallelism = 2, 19 * 1024, 1

    def encode(self, password: str, salt: str) -> str:
        return _in_turn(super().encode, password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        return _in_turn(super().verify, password, encoded)
