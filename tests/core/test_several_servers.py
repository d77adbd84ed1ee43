"""One address of several servers, of which one does not answer."""

import asyncio
import socket

import pytest
from django.db import connection

from core.postgresql.reads import connect, run
from messaging.live.writer import DEADLINE_SECONDS


@pytest.fixture
def silent():
    """A server that takes connections and says nothing, as a host that was cut off."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


async def test_who_writes_finds_the_other_server_in_time(silent, db, monkeypatch):
    settings = connection.settings_dict
    hosts, ports = f"127.0.0.1,{settings['HOST']}", f"{silent},{settings['PORT'] or 5432}"
    several = {"target_session_attrs": "read-write", "connect_timeout": 2}
    monkeypatch.setitem(settings, "HOST", hosts)
    monkeypatch.setitem(settings, "PORT", ports)
    monkeypatch.setitem(settings, "OPTIONS", settings["OPTIONS"] | several)
    deadline = asyncio.get_running_loop().time() + DEADLINE_SECONDS
    found = await connect(deadline=deadline)
    assert await run(found, "SELECT 1", {}) == [(1,)]
    await found.close()
