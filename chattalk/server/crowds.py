"""More come than the process can serve: who is in gets on, who comes now is told when to come back.

Who is in shows a session or a token. Whether that counts is looked at in a thread, as always: who
shows a false one goes before others in line, and is refused there.
"""

import json
import random
from functools import lru_cache
from typing import Any

from csp.utils import build_policy
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from core import refusal_log
from core.problems import CONTENT_TYPE, REFUSALS, problem
from core.threads import Threads
from interfaces.socket import authentication, handshake

LATE = 0.5  # seconds of waiting for a thread
LONGEST = 5.0  # seconds, of who is not in
COME_BACK = 3, 10  # seconds; each at a time of their own
MACHINES = ("/api/", "/graphql/", "/stomp/")
# What pages load, and where a proof is in the body.
OF_KNOWN = ("/static/", "/jsi18n/", "/api/v1/tokens/refresh/", "/api/v1/tokens/revoke/")
PROOFS = (settings.SESSION_COOKIE_NAME, settings.ORIGINAL_TOKEN_COOKIE)  # cookies
PAGES_KEPT = 64
ALLOWED = set(settings.CORS_ALLOWED_ORIGINS)

Headers = dict[bytes, bytes]


def is_new(scope: Any) -> bool:
    """Nobody known: so come those who sign in."""
    if scope["method"] == "OPTIONS" or scope["path"].startswith(OF_KNOWN):
        return False
    named = dict(scope["headers"])
    if b"authorization" in named:
        return False
    sent = named.get(b"cookie", b"").decode("latin-1")
    return not any(f"{name}=" in sent for name in PROOFS)


def is_late(threads: Threads) -> bool:
    return max(threads.known.waited, threads.new.waited) > LATE


async def put_off(scope: Any, send: Any) -> None:
    """Nothing was done of what was asked."""
    refusal_log.note("a request, for more come than can be served", handshake.address(scope))
    named: Headers = dict(scope["headers"])
    seconds = random.randint(*COME_BACK)
    language = authentication.language(scope, User())
    if _is_of_a_program(scope["path"], named):
        headers, body = {"content-type": CONTENT_TYPE}, _problem(language)
    else:
        REFUSALS.add("page", "unavailable")
        again = scope["path"] if scope["method"] in ("GET", "HEAD") else None
        headers, body = _of_a_page(), _page(language, seconds, again)
    headers |= _for_all(language, seconds) | _for_others(named) | {"content-length": str(len(body))}
    told = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 503, "headers": told})
    await send({"type": "http.response.body", "body": body})


def _is_of_a_program(path: str, named: Headers) -> bool:
    return path.startswith(MACHINES) or b"text/html" not in named.get(b"accept", b"")


def _for_all(language: str, seconds: int) -> dict[str, str]:
    return {
        "content-language": language,
        "retry-after": str(seconds),
        "cache-control": "no-store",
        "connection": "close",  # it is not needed until then
        "x-content-type-options": "nosniff",
        "vary": "accept-language, cookie, origin",
    }


def _for_others(named: Headers) -> dict[str, str]:
    """Pages elsewhere may read it, if they may ask at all."""
    origin = named.get(b"origin", b"").decode("latin-1")
    if origin not in ALLOWED:
        return {}
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": ", ".join(settings.CORS_EXPOSE_HEADERS),
    }


def _words() -> str:
    return _("More people come than can be served right now. Try again in a moment.")


def _problem(language: str) -> bytes:
    with translation.override(language):
        return json.dumps(problem(503, "unavailable", _words()).body).encode()


@lru_cache(1)
def _of_a_page() -> dict[str, str]:
    return {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": build_policy(),
        "x-frame-options": settings.X_FRAME_OPTIONS,
        "referrer-policy": settings.SECURE_REFERRER_POLICY,
    }


@lru_cache(PAGES_KEPT)
def _page(language: str, seconds: int, again: str | None) -> bytes:
    with translation.override(language):
        context = {"why": _words(), "again": again, "seconds": seconds}
        return render_to_string("429.html", context).encode()
