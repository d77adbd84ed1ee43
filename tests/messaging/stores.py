"""Stores of our own, and what is done to them."""

import os
import signal
from contextlib import suppress
from pathlib import Path

from chattalk.embedded import data_dir
from chattalk.embedded.mongo_wire import MongoWire
from chattalk.embedded.postgres import Postgres
from tests.redis_server import redis_server


def start(data, redis=redis_server):
    """All three, in that folder."""
    data_dir.make_folder(data, 0o755)
    data_dir.make_folder(data / "run", 0o711)
    data_dir.make_folder(data / "log", 0o700)
    data_dir.make_socket_folder(data)
    stores = {
        "postgresql": Postgres(data, durable=False),
        "redis": redis(data),
        "mongodb": MongoWire(data),
    }
    for store in stores.values():
        store.start()
    for store in stores.values():
        store.wait()
    return stores


def addresses(stores):
    """For processes on them (tests/stack.py): how `Stack` is told."""
    return {
        "server": stores["postgresql"].url(),
        "REDIS_URL": stores["redis"].url(),
        "MONGODB_URL": stores["mongodb"].url(),
    }


def processes(postgres):
    first = int((postgres.home / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    return [first, *map(int, children)]


def signal_all(pids, number):
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def kill(*stores):
    for store in stores:
        if isinstance(store, Postgres):
            signal_all(processes(store), signal.SIGKILL)
        else:
            store.process.signal(signal.SIGKILL)
        store.process.wait()


def bring_back(*stores):
    for store in stores:
        store.start()
        store.wait()
