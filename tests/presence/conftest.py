"""Presence has servers of its own here: tests kill them, and leases shorter than those of the
stack would bury its live processes."""

import pytest

from chattalk.embedded import data_dir
from chattalk.embedded.mongo_wire import MongoWire
from presence import last_seen
from tests.presence.cluster import Cluster
from tests.redis_server import redis_server


@pytest.fixture(scope="session")
def own_servers(tmp_path_factory):
    data = tmp_path_factory.mktemp("presence")
    data_dir.make_folder(data / "log", 0o700)
    data_dir.make_socket_folder(data)
    servers = redis_server(data), MongoWire(data)
    for server in servers:
        server.start()
    for server in servers:
        server.wait()
    yield servers
    for server in servers:
        server.process.stop()


@pytest.fixture
def valkey(own_servers, settings):
    server = own_servers[0]
    settings.REDIS_URL = server.url()
    if not server.process.running:
        server.start()
        server.wait()
    return server


@pytest.fixture
def mongodb(own_servers, settings):
    server = own_servers[1]
    settings.MONGODB_URL = server.url()
    if not server.process.running:
        server.start()
        server.wait()
    last_seen.disconnect()
    yield server
    last_seen.disconnect()


@pytest.fixture
async def cluster(valkey, mongodb):
    """Several server processes in one, which hear each other."""
    cluster = Cluster()
    await cluster.empty()
    yield cluster
    await cluster.close()
