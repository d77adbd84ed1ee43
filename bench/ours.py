"""ChatTalk as the benchmark runs it: real workers, with everything on that is on in production.

Sign-ins, seats, rate limits, presence and synchronous_commit are as always; only the limits'
numbers are raised, since one machine plays all the people.
"""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import psycopg

from bench import people as crowds
from bench.servers import HOME, ROOT, SERVER_CORE, Servers

DATABASE = "chattalk_bench"
NOTHING: Mapping[str, str] = MappingProxyType({})
AT_ONCE = 8  # workers that are being started; more of them, on one core, take too long for each
ROOMS_APART = 1_000_000  # more than any site opens
LIMITS = ("MESSAGE_RATE", "MESSAGE_BURST", "FRAME_RATE", "FRAME_BURST", "API_RATE",
          "API_RATE_NOBODY", "SIGN_IN_RATE", "SIGN_UP_RATE", "JOIN_RATE", "ROOM_RATE",
          "PERSON_SOCKETS", "ADDRESS_SOCKETS", "ADDRESS_CONNECTIONS", "ADDRESS_STRANGERS",
          "PAGE_RATE", "PAGE_RATE_NOBODY", "PASSWORD_RATE")  # fmt: skip


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """This thread, and what it starts meanwhile for good."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def environment(servers: Servers, database: str, number: int = 0) -> dict[str, str]:
    """The site as in production on these stores, with rates that one machine may have. `number` is
    that of its database in Redis."""
    return {
        "DATABASE_URL": database,
        "REDIS_URL": f"{servers.redis}?db={number}" if number else servers.redis,
        "MONGODB_URL": servers.mongodb,
        "CHATTALK_DATA": str(HOME / "data"),
        "DJANGO_SETTINGS_MODULE": "chattalk.settings",
        "DEBUG": "false",
        "HTTPS": "false",
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "LOG_LEVEL": "WARNING",
        **dict.fromkeys(LIMITS, "1000000"),
    }


@dataclass(frozen=True)
class Person:
    id: int
    session: str  # the value of the session cookie


class Ours:
    name, wire, path = "ChatTalk", "chattalk", "/ws/"
    root = ROOT
    stores = ("PostgreSQL", "Valkey", "MongoDB wire")

    def __init__(self, number: int = 0) -> None:
        """`number` tells those apart that share the stores."""
        self.number = number
        self.workers: list = []

    def install(self) -> dict[str, str]:
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
        )
        return {"ChatTalk": commit.stdout.strip() or "a working copy"}

    def start(self, servers: Servers, cores: tuple[int, ...] = (SERVER_CORE,), **more: str) -> None:
        """A worker on each of the cores, with a database of their own."""
        self.prepare(servers)
        self.serve(cores, more)

    def serve(
        self, cores: tuple[int, ...], more: Mapping[str, str] = NOTHING, metrics_port: int = 0
    ) -> None:
        """A worker on each of the cores, told of each other as `manage.py up` does it."""
        from chattalk.embedded import share
        from chattalk.server.workers import WorkerProcess, listen, own

        connections = share(self.database, len(cores))
        self.environment |= {"DATABASE_CONNECTIONS": str(connections), **more}
        self.environment |= {"CHATTALK_WORKERS": str(len(cores))}
        (HOME / "log").mkdir(parents=True, exist_ok=True)
        self.cores = cores
        for number in range(len(cores)):
            around = self.environment | own(number + 1, metrics_port)
            log = HOME / "log" / f"worker-{number}.log"
            self.workers.append(
                WorkerProcess(f"worker {number}", listen("127.0.0.1", 0, 1)[0], around, log)
            )
            self.start_worker(number)
            if number >= AT_ONCE:
                self.wait_for(number - AT_ONCE)
        for number in range(max(0, len(cores) - AT_ONCE), len(cores)):
            self.wait_for(number)

    def prepare(self, servers: Servers) -> None:
        """An empty database with today's tables. Rooms have numbers of this site's own: presence
        in MongoDB knows no more of them."""
        self.database = servers.database(f"{DATABASE}_{self.number}")
        self.environment = environment(servers, self.database, self.number)
        self.manage("migrate", "--verbosity", "0")
        with psycopg.connect(self.database, autocommit=True) as database:
            first = 1 + self.number * ROOMS_APART
            database.execute("SELECT setval('rooms_room_id_seq', %s, false)", [first])

    def manage(self, *words: str, text: str = "") -> str:
        """What that command of manage.py prints."""
        command = [sys.executable, str(self.root / "manage.py"), *words]
        return subprocess.run(
            command,
            cwd=self.root,
            env=os.environ | self.environment,
            check=True,
            input=text,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    def kill(self, number: int) -> None:
        """`kill -9`. Its socket stays open with us: who comes meanwhile waits."""
        self.workers[number].process.signal(signal.SIGKILL)
        self.workers[number].process.wait()

    def start_worker(self, number: int) -> None:
        """Call it in the main thread; `wait_for` may be called in another."""
        with pinned(self.cores[number]):
            self.workers[number].start()

    def wait_for(self, number: int) -> None:
        self.workers[number].wait()

    def restart(self) -> None:
        """As an orderly restart does it; on the same ports."""
        for number, worker in enumerate(self.workers):
            worker.process.stop()
            self.start_worker(number)
            self.wait_for(number)

    def stop(self) -> None:
        for worker in self.workers:
            worker.process.stop()
            worker.listener.close()
        self.workers = []

    @property
    def pids(self) -> list[int]:
        return [worker.process.pid for worker in self.workers]

    @property
    def ports(self) -> list[int]:
        return [worker.listener.getsockname()[1] for worker in self.workers]

    @property
    def port(self) -> int:
        return self.ports[0]

    # --- people and rooms -----------------------------------------------------------------------

    def people(self, count: int) -> list[Person]:
        """New ones, signed in."""
        with psycopg.connect(self.database, autocommit=True) as database:
            ids = crowds.people(database, count, name=f"p{secrets.token_hex(6)}-")
        printed = self.manage("shell", "--no-imports", text=SIGN_IN % ids)
        return [Person(*pair) for pair in zip(ids, printed.split(), strict=True)]

    def room(self, people: Iterable[Person], capacity: int = 0) -> int:
        """With all of them seated, and no seat free unless `capacity` says so."""
        ids = [person.id for person in people]
        with psycopg.connect(self.database, autocommit=True) as database:
            (room_id,) = crowds.rooms(database, ids[0], 1, capacity or len(ids))
            crowds.seat(database, [room_id], ids)
        return room_id

    def rooms(self, count: int, members: int) -> Iterator[tuple[int, list[Person]]]:
        """New rooms full of new people."""
        people = self.people(count * members)
        for first in range(0, len(people), members):
            seated = people[first : first + members]
            yield self.room(seated), seated

    def plan(self, rooms: int, members: int, folder: Path = HOME) -> Path:
        """New rooms full of new people, for the load generator; dealt out over the workers."""
        lines = []
        for room_id, seated in self.rooms(rooms, members):
            for place, person in enumerate(seated):
                port = self.ports[place % len(self.ports)]
                lines.append(f"{port} {room_id} {person.session}\n")
        path = folder / "plan.txt"
        path.write_text("".join(lines))
        return path


# In bulk; what a session holds, and where, is what django.contrib.auth.login does.
SIGN_IN = """
from datetime import timedelta
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.cached_db import KEY_PREFIX, SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.utils import timezone
from django.utils.crypto import get_random_string
from accounts.models import User
def held(user):
    return {SESSION_KEY: str(user.pk), HASH_SESSION_KEY: user.get_session_auth_hash(),
            BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend"}
store, life = SessionStore(), timedelta(days=1)
users = User.objects.filter(pk__in=%s).order_by("pk")
sessions = {get_random_string(32): held(user) for user in users}
rows = [Session(session_key=key, session_data=store.encode(one), expire_date=timezone.now() + life)
        for key, one in sessions.items()]
_ = Session.objects.bulk_create(rows)
cached = {KEY_PREFIX + key: one for key, one in sessions.items()}
_ = cache.set_many(cached, life.total_seconds())
print(*sessions)
"""
