"""No log holds a secret: tokens, tickets, sessions and passwords that the tests make are gathered,
and looked for in all that was logged: by this process, by the workers of the stack, by the servers.

What other processes make can't be gathered, but is told by its shape; their sessions stand in the
database of the stack.
"""

import logging
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings

SHORTEST = 8  # characters of a secret that can't stand in a log by chance
SHAPES = {
    "a token": re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"),
    "a token or a ticket as it is shown": re.compile(r"\b(?:bearer\.|ticket\.|Bearer )[\w.-]{20,}"),
    "a session's cookie": re.compile(r"\b(?:sessionid|csrftoken)=\w{16,}"),
    "a password's hash": re.compile(r"\b(?:argon2|pbkdf2_\w+)\$"),
    "a password that stands beside its name": re.compile(r"[\"'](?:password|refresh)[\"']: ?[\"']"),
}


class Watch(logging.Handler):
    """Gathers secrets, and what is logged. `heard` is given what others logged."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))
        self.secrets: dict[str, str] = {}  # and what it is
        self.lines: set[str] = set()  # many are the same; each is looked at once

    def emit(self, record: logging.LogRecord) -> None:
        self.heard(self.format(record))

    def heard(self, text: str) -> None:
        self.lines.update(text.splitlines())

    def knows(self, secret: object, what: str) -> None:
        if isinstance(secret, str) and len(secret) >= SHORTEST:
            self.secrets[secret] = what

    def leaks(self) -> list[str]:
        """What is told where, without telling it again."""
        found = [
            f"{what}: {shape.sub('…', line)[:200]}"
            for line in self.lines
            for what, shape in SHAPES.items()
            if shape.search(line)
        ]
        everything = "\n".join(self.lines)
        for secret, what in self.secrets.items():
            if secret in everything:
                line = next(line for line in self.lines if secret in line)
                found.append(f"{what}: {line.replace(secret, '…')[:200]}")
        return found


def gather(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    """From here on, whatever this process makes of them."""
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.sessions.backends.cached_db import SessionStore

    from accounts import devices, tickets

    def password(args: Any, _answer: Any) -> None:
        watch.knows(args[1], "a password")

    def pair(_args: Any, answer: Any) -> None:
        watch.knows(answer.access, "an access token")
        watch.knows(answer.refresh, "a refresh token")

    _tell(patch, AbstractBaseUser, "set_password", password)
    _tell(patch, AbstractBaseUser, "check_password", password)
    _tell(patch, devices, "_pair", pair)
    _tell(patch, tickets, "issue", lambda _, ticket: watch.knows(ticket, "a ticket"))
    _tell(
        patch, SessionStore, "save", lambda args, _: watch.knows(args[0].session_key, "a session")
    )


def _tell(patch: pytest.MonkeyPatch, owner: Any, name: str, tell: Any) -> None:
    """`tell` hears what each call was given and has answered."""
    real = getattr(owner, name)

    def watched(*args: Any, **named: Any) -> Any:
        answer = real(*args, **named)
        tell(args, answer)
        return answer

    patch.setattr(owner, name, watched)


def gather_the_rest(watch: Watch) -> None:
    """The constants of tests, the keys of this run, and the sessions that the workers made."""
    for name, module in sys.modules.copy().items():  # a thread may import something meanwhile
        if name.startswith(("tests.", "faults.")):
            watch.knows(getattr(module, "PASSWORD", None), "a password")
    watch.knows(settings.SECRET_KEY, "the secret key")
    watch.knows(settings.SIMPLE_JWT["SIGNING_KEY"], "the key of tokens")
    for key in _sessions_of_the_stack():
        watch.knows(key, "a session")


def _sessions_of_the_stack() -> list[str]:
    from tests.stack import DATABASE, address_of

    try:
        with psycopg.connect(address_of(DATABASE)) as database:
            rows = database.execute("SELECT session_key FROM django_session")
            return [key for (key,) in rows]
    except (psycopg.errors.InvalidCatalogName, psycopg.OperationalError):
        return []  # no test asked for the stack


def read_logs(watch: Watch) -> None:
    """Of the workers and of the servers, all that is left below the data folder."""
    for log in Path(os.environ["CHATTALK_DATA"]).rglob("*.log*"):
        watch.heard(log.read_text(errors="replace"))


@pytest.fixture(scope="session", autouse=True)
def no_secret_in_a_log(django_db_setup: None) -> Iterator[Watch]:
    """Made before all else, so that it is over last: the whole run is looked through."""
    watch = Watch()
    root = logging.getLogger()
    root.addHandler(watch)
    with pytest.MonkeyPatch.context() as patch:
        gather(watch, patch)
        yield watch
    root.removeHandler(watch)
    gather_the_rest(watch)
    read_logs(watch)
    assert not watch.leaks(), "secrets were logged:\n" + "\n".join(sorted(set(watch.leaks()))[:20])
