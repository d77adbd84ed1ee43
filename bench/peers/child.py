"""The one server process of a peer: on the servers' core, ended with us, waited for at its port."""

import socket
from pathlib import Path

from bench.servers import HOME, SERVER_CORE, on_core
from chattalk.embedded import Process


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(
    name: str, command: list[str], port: int, folder: Path, environment: dict[str, str]
) -> Process:
    """Returns when the port answers. What it says goes to var/bench/log/."""
    log = HOME / "log" / f"{name}.log"
    for path in (log.parent, folder):
        path.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")  # of this run alone: it is read for the reason when the start fails
    pinned = ["/usr/bin/env", *on_core(SERVER_CORE, command)]  # env finds taskset and command
    process = Process(name, pinned, log=log, folder=folder)
    process.start(environment)
    try:
        process.until(lambda: True if _answers(port) else None)
    except BaseException:
        process.stop()
        raise
    return process


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
