"""Whether each store answers now, and why not: asked from outside, as the admin shows it."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from chattalk.embedded import probe
from chattalk.server.health import causes

PING_SECONDS = 1.0


class Server(NamedTuple):
    name: str
    answers: bool
    milliseconds: int
    why: Any = ""  # it does not answer, or stores nothing; as far as that is known


WHY = {
    "disk full": _("its disk is full"),
    "memory full": _("its memory is full"),
    "read only": _("it only reads"),
}


def health() -> list[Server]:
    """Each is asked once, side by side; who has not answered after PING_SECONDS does not answer."""
    asked: dict[str, Callable[[], str]] = {
        "PostgreSQL": lambda: probe.postgres(settings.DATABASE_URL, PING_SECONDS),
        "Redis": lambda: probe.redis(settings.REDIS_URL, PING_SECONDS),
        "MongoDB": lambda: probe.mongodb(settings.MONGODB_URL, PING_SECONDS),
    }
    threads = ThreadPoolExecutor(len(asked), thread_name_prefix="health")
    pings = {name: threads.submit(_timed, ping) for name, ping in asked.items()}
    wait(pings.values(), PING_SECONDS)
    threads.shutdown(wait=False)
    found = {name: _answer(ping) for name, ping in pings.items()}
    why = causes(
        {name.lower(): "ok" if answers else "down" for name, (answers, _ms) in found.items()}
    )
    return [
        Server(name, *answer, WHY.get(why.get(name.lower(), ""), ""))
        for name, answer in found.items()
    ]


def _timed(ping: Callable[[], str]) -> tuple[bool, int]:
    began = time.monotonic()
    error = ping()
    return not error, round((time.monotonic() - began) * 1000)


def _answer(ping: Future[tuple[bool, int]]) -> tuple[bool, int]:
    if not ping.done() or ping.exception() is not None:
        return False, 0
    return ping.result()
