"""The cast: alice opened the room, bob is a member, charlie must get nothing."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from tests.messaging.conftest import alice, bob, charlie, closed_node, people, room  # noqa: F401


@pytest.fixture(autouse=True)
async def given_back():
    """Channels' communicators keep Django from giving connections back to the pool; so we do it."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    yield
    await loop.run_in_executor(None, connections.close_all)
