"""Chat servers of others, each in its fair usual set-up, to measure beside ours.

A peer that can't be installed raises `Absent` with the reason, and is reported as absent.
"""

from typing import Protocol

from bench.servers import Servers


class Absent(Exception):
    """It can't be installed here. The text says why."""


class Peer(Protocol):
    name: str  # in tables: "Socket.IO + redis-adapter + pg"
    wire: str  # how the load generator talks to it: plain, socketio, xmpp, centrifuge
    stores: tuple[str, ...]  # which of the servers count as its own: PostgreSQL, Valkey
    port: int  # where it listens, once started
    path: str  # of its WebSocket

    def install(self) -> dict[str, str]:
        """From its registry, below var/bench/, unless done before; the versions. Raises Absent."""

    def start(self, servers: Servers) -> None:
        """On the servers' core, with a database of its own; returns when it answers."""

    def stop(self) -> None: ...

    @property
    def pids(self) -> list[int]:
        """The roots of its own process trees, without those of the stores."""
