"""The chat of the Channels tutorial, on the packages that ChatTalk itself runs on.

python -m bench.peers.tutorial
"""

import os
import secrets
import subprocess
import sys
from importlib.metadata import version

import psycopg

from bench.peers import trial
from bench.peers.child import Child, free_port
from bench.servers import ROOT, Servers

PROJECT = "bench.peers.channels_tutorial"
APPLICATION = f"{PROJECT}.asgi:application"
BACKLOG = 2048  # connections that wait to be accepted; as ours, where the default is 50
SEATS = """
INSERT INTO channels_tutorial_member (room, person) SELECT %s, generate_series(1, %s)
ON CONFLICT DO NOTHING"""
LINES = """
INSERT INTO channels_tutorial_message (room, body, created_at)
SELECT %s, %s, now() FROM generate_series(1, %s) RETURNING id"""


class Tutorial(Child):
    """With a database, or (`persist=False`) fan-out alone."""

    wire, path = "plain", "/ws/chat/%s/"
    server, layer = "", ""
    packages: tuple[str, ...] = ("channels", "channels-redis", "Django")

    def __init__(self, persist: bool = True) -> None:
        self.persist = persist
        self.name = f"Channels tutorial, {self.server} + {self.layer}{' + acreate' * persist}"
        self.stores: tuple[str, ...] = ("PostgreSQL", "Valkey") if persist else ("Valkey",)

    def install(self) -> dict[str, str]:
        return {package: version(package) for package in (*self.packages, self.server)}

    def start(self, servers: Servers) -> None:
        self.port = free_port()
        environment = {
            "DJANGO_SETTINGS_MODULE": f"{PROJECT}.settings",
            "TUTORIAL_LAYER": self.layer,
            "TUTORIAL_PREFIX": f"tutorial-{secrets.token_hex(4)}",
            "TUTORIAL_PERSIST": str(int(self.persist)),
            "REDIS_URL": servers.redis,
        }
        if self.persist:
            self.database = servers.database(f"tutorial_{self.server}")
            environment["DATABASE_URL"] = self.database
            _migrate(environment)
        self._run([sys.executable, "-m", self.server, *self._words(), APPLICATION], environment)

    def _words(self) -> list[str]:
        raise NotImplementedError

    def fill(self, room: str, people: int, messages: int, body: str) -> int:
        """Seat persons 1 … `people`, and add lines to the log of the room.

        The id to ask for with `{"after": …}` to get exactly these lines (at most 200 come).
        A client is person 1, or who `?person=` in its address says.
        """
        with psycopg.connect(self.database, autocommit=True) as database:
            database.execute(SEATS, [room, people])
            rows = database.execute(LINES, [room, body, messages]).fetchall()
        return min(line for (line,) in rows) - 1


class Daphne(Tutorial):
    """As the tutorial has it: daphne and the queue-based layer, default capacity."""

    server, layer = "daphne", "queue"

    def _words(self) -> list[str]:
        return ["-v", "0", "-e", f"tcp:{self.port}:interface=127.0.0.1:backlog={BACKLOG}"]


class Uvicorn(Tutorial):
    """The faster one: uvicorn as our workers set it, and the pub/sub layer."""

    server, layer = "uvicorn", "pubsub"
    packages = (*Tutorial.packages, "websockets")

    def _words(self) -> list[str]:
        words = ["--host", "127.0.0.1", "--port", str(self.port), "--backlog", str(BACKLOG)]
        words += ["--loop", "asyncio", "--lifespan", "off", "--log-level", "warning"]
        words += ["--no-access-log", "--no-server-header", "--ws", "websockets-sansio"]
        words += ["--ws-max-size", "65536", "--ws-per-message-deflate", "false"]
        return [*words, "--ws-ping-interval", "20", "--ws-ping-timeout", "20"]


def _migrate(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, check=True, env=os.environ | environment)


PEERS = (Daphne, Uvicorn, lambda: Daphne(persist=False), lambda: Uvicorn(persist=False))

if __name__ == "__main__":
    trial.main(PEERS)
