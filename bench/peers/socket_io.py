"""Socket.IO with its Redis adapter, messages kept through pg: the usual set-up on Node.

python -m bench.peers.socket_io
"""

import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bench.peers import trial
from bench.peers.child import Child, free_port, tool
from bench.peers.npm import install
from bench.servers import HOME, Servers

HERE = Path(__file__).parent / "socketio"
MODULES = HOME / "socketio" / "node_modules"
TABLE = """
CREATE TABLE message (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room text NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
)"""


class SocketIO(Child):
    """Over its WebSocket transport alone. Events: join, then msg both ways."""

    wire, path = "socketio", "/socket.io/?EIO=4&transport=websocket"

    def __init__(self, persist: bool = True) -> None:
        self.persist = persist
        self.name = f"Socket.IO + redis-adapter{' + pg' * persist}"
        self.stores: tuple[str, ...] = ("PostgreSQL", "Valkey") if persist else ("Valkey",)

    def install(self) -> dict[str, str]:
        versions = install(HERE, HOME / "socketio")
        node = subprocess.run([tool("node"), "--version"], stdout=subprocess.PIPE, text=True)
        return versions | {"Node": node.stdout.strip().removeprefix("v")}

    def start(self, servers: Servers) -> None:
        self.port = free_port()
        environment = {
            "NODE_ENV": "production",
            "NODE_PATH": str(MODULES),
            "PORT": str(self.port),
            "REDIS_SOCKET": unquote(urlsplit(servers.redis).path),
            "PERSIST": str(int(self.persist)),
        }
        if self.persist:
            environment |= self._database(servers)
        self._run([tool("node"), str(HERE / "server.js")], environment)

    def _database(self, servers: Servers) -> dict[str, str]:
        address = servers.database("socketio")
        with psycopg.connect(address, autocommit=True) as database:
            database.execute(TABLE)
        parts = conninfo_to_dict(address)
        names = {"PGHOST": "host", "PGUSER": "user", "PGDATABASE": "dbname"}
        return {variable: str(parts[name]) for variable, name in names.items()}


PEERS = (SocketIO, lambda: SocketIO(persist=False))

if __name__ == "__main__":
    trial.main(PEERS)
