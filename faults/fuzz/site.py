"""A site as in production, with people who signed up at its door."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench import request
from bench.request import Answer

CHROMES = ("chromium", "google-chrome")
PASSWORD = "a long and quiet evening"
ANSWERS_WITHIN = 30.0  # seconds


def ask(
    url: str, method: str, path: str, body: Any = None, token: str = "", agent: str = "fuzz"
) -> Answer:
    """At a door for JSON, with an access token. Raises OSError when there is no answer."""
    headers = {"User-Agent": agent}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return request.ask(url + path, method, body, headers, within=ANSWERS_WITHIN)


def opened(url: str, path: str = "/ws/", token: str = "") -> ClientConnection:
    """A bare socket, to enter; at `/ws/` in the name of that token's person."""
    words = [Subprotocol("chattalk"), Subprotocol(f"bearer.{token}")] if token else None
    address = url.replace("http", "ws", 1) + path
    return connect(address, subprotocols=words, compression=None, max_size=None)


def browser() -> str | None:
    """The path of a Chromium: what CHROMIUM names, or one that is installed."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMES)), None)


@dataclass(frozen=True)
class Person:
    id: int
    email: str
    session: str  # the value of the session cookie


class Site:
    def __init__(self, ours: Any, logs: Path) -> None:
        self._ours, self.logs = ours, logs

    @property
    def urls(self) -> list[str]:
        """Of the worker processes, which answer for the same rooms."""
        return [f"http://127.0.0.1:{port}" for port in self._ours.ports]

    @property
    def url(self) -> str:
        return self.urls[0]

    def manage(self, *words: str, text: str = "") -> str:
        return self._ours.manage(*words, text=text)

    def person(self, name: str) -> Person:
        """Signed up, with a name and a password, and with a session for a browser."""
        email = f"{name.lower()}-{secrets.token_hex(4)}@example.com"
        account = {"email": email, "password": PASSWORD, "display_name": name}
        made = ask(self.url, "POST", "/api/v1/accounts/", account)
        assert made.status == 201, made.body
        session = self.manage("shell", "--no-imports", text=SESSION % email).strip()
        return Person(made.json["id"], email, session)

    def token(self, person: Person) -> str:
        pair = ask(
            self.url, "POST", "/api/v1/tokens/", {"email": person.email, "password": PASSWORD}
        )
        assert pair.status == 200, pair.body
        return pair.json["access"]

    def complaints(self) -> list[str]:
        """Tracebacks in the workers' logs: a fault that somebody caught is a fault."""
        texts = [log.read_text(errors="replace") for log in sorted(self.logs.glob("worker-*.log"))]
        return [line for text in texts for line in text.splitlines() if "Traceback (most" in line]


# What a sign-in by the page does, without the page.
SESSION = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from accounts.models import User
user = User.objects.get(email=%r)
session = import_module(settings.SESSION_ENGINE).SessionStore()
session[SESSION_KEY] = str(user.pk)
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session.save()
print(session.session_key)
"""


@contextmanager
def running(workers: int = 1, **settings: str) -> Iterator[Site]:
    """Stores and worker processes, with the rates of the benchmark: one machine plays all."""
    from bench.ours import Ours
    from bench.servers import HOME
    from bench.servers import running as stores

    ours = Ours()
    with stores() as servers:
        for log in (HOME / "log").glob("worker-*.log"):
            log.unlink()
        try:
            ours.start(servers, cores=tuple(range(workers)), **settings)
            yield Site(ours, HOME / "log")
        finally:
            ours.stop()
