"""Two real worker processes, for what one process can't show: each on a port of its own.

    async def test_a_message_crosses_processes(stack):
        alice, bob = await stack.apeople("alice", "bob")
        async with stack.socket(0, alice) as one, stack.socket(1, bob) as other: ...

While a test uses the stack, Django's default database is the stack's own: models, services and a
test `Client` work on what the workers see. From a coroutine: `await stack.arun(function, …)`. Don't
ask for `db` or `transactional_db` as well; rows stay, so make people and rooms of your own.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from chattalk_client import ChatTalk
from django.conf import settings
from django.db import connection, connections

from chattalk.embedded import django_database
from chattalk.server.workers import ROOT, WorkerProcess, listen, own
from tests import raw_socket

WORKERS = 2
DATABASE = "stack"
TOKEN = "a" * 32


@dataclass(frozen=True)
class Person:
    id: int
    email: str
    name: str
    session: str  # the value of the session cookie

    @property
    def cookie(self) -> str:
        return f"{settings.SESSION_COOKIE_NAME}={self.session}"

    @property
    def headers(self) -> dict[str, str]:
        """Their browser's, which may change something: the CSRF cookie and header agree."""
        cookies = f"{self.cookie}; csrftoken={TOKEN}"
        return {"Cookie": cookies, "X-CSRFToken": TOKEN, "Content-Type": "application/json"}


class Stack:
    """Make it, start and stop its workers in the main thread: they end with their thread."""

    def __init__(
        self, count: int = WORKERS, database: str = DATABASE, server: str = "", **environment: str
    ) -> None:
        """`server`: the address of another PostgreSQL than that of the tests, to do things to."""
        address = _database(database, server or settings.DATABASE_URL)
        found = django_database(address)
        self.database = {name: found[name] for name in ("NAME", "HOST", "PORT", "USER")}
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._logs = Path(tempfile.mkdtemp(prefix="stack-", dir=os.environ["CHATTALK_DATA"]))
        # What the tests of a browser may do (tests/chromium.py), workers may not.
        own = {"DATABASE_URL": address, "DJANGO_ALLOW_ASYNC_UNSAFE": ""}
        self.environment = own | environment
        self._named = 0
        self.workers = [self._worker(number) for number in range(count)]
        for worker in self.workers:
            worker.start()
        for worker in self.workers:
            worker.wait()

    def _worker(self, number: int) -> WorkerProcess:
        listener = listen("127.0.0.1", 0, 1)[0]
        log = self._logs / f"{number}.log"
        given = self.environment | own(number + 1, int(self.environment.get("METRICS_PORT", 0)))
        return WorkerProcess(f"worker {number}", listener, given, log)

    @property
    def urls(self) -> list[str]:
        ports = [worker.listener.getsockname()[1] for worker in self.workers]
        return [f"http://127.0.0.1:{port}" for port in ports]

    @property
    def pids(self) -> list[int]:
        return [worker.process.pid for worker in self.workers]

    # --- faults ---------------------------------------------------------------------------------

    def kill9(self, number: int) -> None:
        self.workers[number].process.signal(signal.SIGKILL)
        self.workers[number].process.wait()

    def terminate(self, number: int) -> None:
        """As an orderly restart does it."""
        self.workers[number].process.stop()

    def stop(self, number: int) -> None:
        """It stands still, as a process that the machine has no time for."""
        self.workers[number].process.signal(signal.SIGSTOP)

    def cont(self, number: int) -> None:
        self.workers[number].process.signal(signal.SIGCONT)

    def restart(self, number: int) -> None:
        """On the same port."""
        self.workers[number].process.stop()
        self.workers[number].start()
        self.workers[number].wait()

    def mend(self) -> None:
        """All workers run again, whatever a test did to them."""
        for number, worker in enumerate(self.workers):
            self.cont(number)
            if not worker.process.running:
                self.restart(number)

    def close(self) -> None:
        for number, worker in enumerate(self.workers):
            self.cont(number)
            worker.process.stop()
            worker.listener.close()
        self._thread.shutdown()

    def said(self) -> str:
        """What the workers logged since the last time."""
        texts = []
        for log in sorted(self._logs.glob("[0-9].log")):
            texts.append(f"--- {log.stem}\n{log.read_text(errors='replace')}")
            self._keep(log)
        return "\n".join(texts)

    def _keep(self, log: Path) -> None:
        """Apart, for who looks through all that was logged (tests/leaks.py)."""
        with log.with_suffix(".all.log").open("a") as kept:
            kept.write(log.read_text(errors="replace"))
        os.truncate(log, 0)

    # --- people ---------------------------------------------------------------------------------

    def run(self, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """In the stack's database, in a thread that may wait for it."""
        return self._thread.submit(function, *args, **named).result()

    async def arun(self, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        return await asyncio.wrap_future(self._thread.submit(function, *args, **named))

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Django's default database is the stack's, in every thread, until the test ends."""
        usual = {name: connection.settings_dict[name] for name in self.database}
        self._turn_to(self.database)
        yield
        self._turn_to(usual)

    def _turn_to(self, database: dict[str, str]) -> None:
        self.run(connections.close_all)  # its own ones, in its thread
        connection.close()
        connection.close_pool()
        connection.settings_dict.update(database)  # one dictionary for all threads

    def people(self, *names: str) -> list[Person]:
        """Fresh accounts, signed in. A name that comes again is another person."""
        return self.run(self._people, names)

    async def apeople(self, *names: str) -> list[Person]:
        return await self.arun(self._people, names)

    def _people(self, names: tuple[str, ...]) -> list[Person]:
        people = []
        for name in names:
            self._named += 1
            people.append(_sign_up(f"{name}{self._named}@example.com", name.capitalize()))
        return people

    def chat(self, number: int, person: Person) -> ChatTalk:
        """The client that everybody has, at one of the workers, for a person who is just there."""
        return ChatTalk(self.urls[number], cookie=person.cookie)

    def socket(self, number: int, person: Person | None = None, path: str = "/ws/"):
        """A WebSocket to one of the workers, as a browser would open it: for tests of the wire."""
        return socket_at(self.urls[number], person, path)


def socket_at(url: str, person: Person | None = None, path: str = "/ws/"):
    return raw_socket.opened(url, path, cookie=person.cookie if person else "")


def open_room(*people: Person, capacity: int = 50) -> int:
    """The first of them owns it, all have a seat. To be run in the stack's thread."""
    from accounts.models import User
    from messaging import services

    users = [User.objects.get(pk=person.id) for person in people]
    room = services.open_room(users[0], title="Two processes", capacity=capacity)
    for user in users[1:]:
        services.join(room.pk, user)
    return room.pk


def post(url: str, person: Person) -> int:
    """Press a button of a page; the status of the answer."""
    request = urllib.request.Request(url, b"", person.headers, method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status


def _sign_up(email: str, name: str) -> Person:
    from django.contrib.auth import (
        BACKEND_SESSION_KEY,
        HASH_SESSION_KEY,
        SESSION_KEY,
        get_user_model,
    )
    from django.contrib.sessions.backends.cached_db import SessionStore

    user = get_user_model().objects.create_user(email, None, display_name=name)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return Person(user.pk, email, name, session.session_key)


def address_of(name: str, server: str = "") -> str:
    """Another database of the same server."""
    return urlsplit(server or settings.DATABASE_URL)._replace(path=f"/{name}").geturl()


def _database(name: str, server: str) -> str:
    """A database of the stack's own, with today's tables: the tests' own one rolls back."""
    with psycopg.connect(server, autocommit=True) as asked:
        asked.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        asked.execute(f"CREATE DATABASE {name}")
    address = address_of(name, server)
    migrate = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
    subprocess.run(migrate, env={**os.environ, "DATABASE_URL": address}, check=True)
    return address


@pytest.fixture(scope="session")
def _stack(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stack]:
    stack = Stack()
    yield stack
    stack.close()


@pytest.fixture
def stack(_stack: Stack, django_db_blocker: Any) -> Iterator[Stack]:
    """Two workers that all tests share."""
    with lent(_stack, django_db_blocker):
        yield _stack


@contextmanager
def lent(stack: Stack, django_db_blocker: Any) -> Iterator[None]:
    """To one test; what it did to the workers is mended after it."""
    with django_db_blocker.unblock(), stack.in_use():
        yield
        stack.mend()
    print(stack.said())  # pytest shows it when the test fails
