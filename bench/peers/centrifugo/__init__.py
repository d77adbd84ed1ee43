"""Centrifugo, with Redis for its broker, history and presence; nothing in a database.

What is usual for a chat: recovery of what was missed (the last 500 messages of a channel, for
5 minutes), presence, members publish for themselves, each signed in by a JSON web token. Left as
they come: a write per message (no delay), no compression, no notices of who joins and leaves.

Its JSON lines (wire "centrifuge"); one frame carries several, each way, with a newline between:

    → {"id":1,"connect":{"token":"<one line of the tokens' file>"}}
    ← {"id":1,"connect":{"client":"…","version":"…","ping":25,"pong":true,…}}
    → {"id":2,"subscribe":{"channel":"room:1"}}
    ← {"id":2,"subscribe":{"recoverable":true,"epoch":"…","positioned":true}}
    → {"id":3,"publish":{"channel":"room:1","data":{"body":"…"}}}
    ← {"push":{"channel":"room:1","pub":{"data":{"body":"…"},"info":{…},"offset":1,"epoch":"…"}}}
    ← {"id":3,"publish":{}}                  to the sender, before or after its push
    ← {}                                     a ping, each 25 s; unanswered for 8 s it closes
    → {}

`data` comes as it was sent, spaces too; `info` names who published. A refusal is
{"id":…,"error":{"code":…,"message":"…"}}.
"""

import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import jwt

from bench.peers import Absent
from bench.peers.child import Child, free_port, tool
from bench.servers import HOME, Servers

LOCK = Path(__file__).parent  # go.mod and go.sum
MODULE = "github.com/centrifugal/centrifugo/v6"
BINARY = HOME / "centrifugo" / "centrifugo"
STAMP = BINARY.with_name("go.sum")  # what the binary was built from
SECRET = "of a benchmark that only listens on this machine"


class Centrifugo(Child):
    name = "Centrifugo + Redis"
    wire = "centrifuge"
    stores = ("Valkey",)
    path = "/connection/websocket"

    def install(self) -> dict[str, str]:
        if not STAMP.exists() or STAMP.read_bytes() != (LOCK / "go.sum").read_bytes():
            _build()
        return {"Centrifugo": _version()}

    def start(self, servers: Servers) -> None:
        self.port = free_port()
        settings = BINARY.with_name("settings.json")
        settings.write_text(json.dumps(_settings(servers, self.port), indent=1))
        threads = {"GOMAXPROCS": str(len(self.cores))}  # at a time
        self._run([str(BINARY), "--config", str(settings)], threads)


def token(user: str) -> str:
    """Signs that user in, for ever."""
    return jwt.encode({"sub": user}, SECRET, algorithm="HS256")


def write_tokens(path: Path, users: Iterable[str]) -> None:
    """One line per user, for the load generator."""
    path.write_text("".join(f"{token(user)}\n" for user in users))


def _settings(servers: Servers, port: int) -> dict:
    room = {
        "name": "room",
        "history_size": 500,
        "history_ttl": "300s",
        "force_recovery": True,
        "presence": True,
        "allow_subscribe_for_client": True,
        "allow_publish_for_subscriber": True,
    }
    redis = {"address": _redis(servers), "prefix": f"centrifugo-{port}"}  # a new start is empty
    return {
        "http_server": {"address": "127.0.0.1", "port": port},
        "client": {"token": {"hmac_secret_key": SECRET}, "allowed_origins": ["*"]},
        "engine": {"type": "redis", "redis": redis},
        "channel": {"namespaces": [room]},
        "usage_stats": {"disabled": True},  # nothing is sent anywhere
    }


def _redis(servers: Servers) -> str:
    """Its unix socket. Our address has the whole path quoted, which its parser takes for a host."""
    parts = urlsplit(servers.redis)
    return f"unix://{unquote(parts.netloc + parts.path)}"


def _version() -> str:
    """The one that go.mod asks for."""
    lines = (line.split() for line in (LOCK / "go.mod").read_text().splitlines())
    return next(words[1].removeprefix("v") for words in lines if words[:1] == [MODULE])


def _build() -> None:
    BINARY.parent.mkdir(parents=True, exist_ok=True)
    told = f"-X {MODULE}/internal/build.Version={_version()}"  # as its releases are built
    command = [tool("go"), "build", "-ldflags", told, "-o", str(BINARY), MODULE]
    built = subprocess.run(command, cwd=LOCK, capture_output=True, text=True)
    if built.returncode:
        raise Absent(f"Centrifugo can't be built: {built.stderr.strip()[-300:]}")
    shutil.copy(LOCK / "go.sum", STAMP)
