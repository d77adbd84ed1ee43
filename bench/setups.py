"""All that is measured side by side: ours and its peers, started once, each with its clients."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from bench.load import Load, Run, build
from bench.ours import Ours
from bench.peers import Absent, ceiling, centrifugo, ejabberd, socket_io, tutorial
from bench.servers import HOME, Servers

_rooms = count(1)

# By the names that scenarios use.
PEERS: dict[str, Callable[[], Any]] = {
    "daphne": tutorial.Daphne,
    "uvicorn": tutorial.Uvicorn,
    "socketio": socket_io.SocketIO,
    "socketio-fanout": lambda: socket_io.SocketIO(persist=False),
    "ejabberd": ejabberd.Ejabberd,
    "centrifugo": centrifugo.Centrifugo,
    "c": ceiling.C,
    "bun": ceiling.Bun,
}


class Setup:
    """A running server and who comes to it. A peer's people need no accounts, ours do."""

    def __init__(self, key: str, server: Any, servers: Servers) -> None:
        self.key, self.server, self._servers = key, server, servers
        self.name: str = server.name
        self._plans: set[Path] = set()

    @property
    def pids(self) -> list[int]:
        """Its processes and the stores it uses, which are all its own while it is measured."""
        return [*self.server.pids, *(self._servers.pids[name] for name in self.server.stores)]

    def plan(self, rooms: int, members: int) -> Path:
        """Rooms full of people. Ours, who have accounts and seats, come again; a peer's rooms are
        new, for some servers take their time to miss those who went."""
        path = HOME / f"plan-{self.key}-{rooms}x{members}.txt"
        if isinstance(self.server, Ours):
            if path not in self._plans:
                self.server.plan(rooms, members).rename(path)
                self._plans.add(path)
            return path
        lines = []
        for _ in range(rooms):
            room = next(_rooms)
            lines += [f"{self.server.port} {room} {self._word(i)}\n" for i in range(members)]
        path.write_text("".join(lines))
        return path

    def _word(self, number: int) -> str:
        is_signed_in = isinstance(self.server, centrifugo.Centrifugo)
        return centrifugo.token(f"user{number}") if is_signed_in else "-"

    def load(self, plan: Path, **options: Any) -> Load:
        return Load(self.server.wire, plan, self.server.path, **options)

    def measure(self, plan: Path, **options: Any) -> Run:
        one = self.load(plan, **options)
        one.until("connected")
        return one.measured(self.pids)


class Setups:
    """Started when first asked for; `absent` says why some can't be."""

    def __init__(self, servers: Servers, tell: Callable[[str], None]) -> None:
        self._servers, self._tell = servers, tell
        self._running: dict[str, Setup] = {}
        self._ends = ExitStack()
        self.versions: dict[str, str] = {}
        self.absent: dict[str, str] = {}

    def install(self, *keys: str) -> None:
        """So that no download falls into what is timed; what is installed stays."""
        build()
        for key in keys:
            self._tell(f"installing {key}")
            try:
                self.versions |= (PEERS[key]() if key in PEERS else Ours()).install()
            except Absent as why:
                self.absent[key] = str(why)

    def get(self, *keys: str) -> list[Setup]:
        """Those of them that are not absent."""
        self.install(*keys)
        return [self._started(key) for key in keys if key not in self.absent]

    def _started(self, key: str) -> Setup:
        if key not in self._running:
            self._tell(f"starting {key}")
            server = Ours() if key == "ours" else PEERS[key]()
            self._ends.callback(server.stop)
            server.start(self._servers)
            self._running[key] = Setup(key, server, self._servers)
        return self._running[key]

    def close(self) -> None:
        self._ends.close()


@contextmanager
def setups(servers: Servers, tell: Callable[[str], None]) -> Iterator[Setups]:
    those = Setups(servers, tell)
    try:
        yield those
    finally:
        those.close()
