"""No connection of Django's pool is free: every door says so, and none takes it for a fault.

What views meet is Django's OperationalError, for its backend wraps the pool's own.
"""

import json
import logging
from contextlib import contextmanager

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client
from psycopg_pool import PoolTimeout

from chattalk.asgi import application
from core.postgresql.breaker import is_outage
from tests.interfaces.original.page import token_of
from tests.interfaces.socket.client import PAGE, session_cookie, socket
from tests.interfaces.stomp.client import stomp

BACKEND = "django.contrib.auth.backends.ModelBackend"


@contextmanager
def full_pool(size=1):
    """So many connections, of which a sleeper has one."""
    connection.close()
    options, pools = connection.settings_dict["OPTIONS"], connection._connection_pools
    usual, before = options["pool"], pools.pop(connection.alias, None)
    options["pool"] = usual | {"min_size": 1, "max_size": size, "timeout": 0.2}
    pool = connection.pool
    pool.open(wait=True)
    held = pool.getconn()
    try:
        yield
    finally:
        pool.putconn(held)
        connection.close()
        pool.close()
        options["pool"] = usual
        del pools[connection.alias]
        if before is not None:
            pools[connection.alias] = before


def faults(caplog):
    return [one for one in caplog.records if one.levelno >= logging.ERROR or one.exc_info]


def test_what_comes_is_djangos_own_error_and_counts_as_an_outage(transactional_db):
    with full_pool(), pytest.raises(OperationalError) as failure:
        connection.ensure_connection()
    assert isinstance(failure.value.__cause__, PoolTimeout)
    assert not isinstance(failure.value, PoolTimeout)
    assert is_outage(failure.value)


@pytest.mark.parametrize(
    "path",
    ["/", "/rooms/{}/", "/rooms/{}/history/", "/admin/", "/accounts/profile/", "/lobby/rooms/",
     "/api/v1/me/", "/api/v1/rooms/{}/events/", "/api/open-chats", "/api/open-chats/read/{}"],
)  # fmt: skip
def test_every_page_and_answer_says_503_and_when_to_come_back(room, bob, path, caplog):
    client = Client(raise_request_exception=False)
    client.force_login(bob, BACKEND)
    client.cookies["Authorization"] = f"Bearer%20{token_of(bob)}"
    with full_pool():
        answer = client.get(path.format(room.pk))
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) >= 1
    assert faults(caplog) == []
    assert client.get(path.format(room.pk)).status_code in (200, 302)


def test_graphql_says_so(room, bob, caplog):
    client = Client(raise_request_exception=False)
    client.force_login(bob, BACKEND)
    with full_pool():
        answer = client.post("/graphql/", {"query": "{me{unread}}"}, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert faults(caplog) == []


async def test_a_socket_whose_session_redis_knows_needs_no_connection_of_the_pool(
    room, bob, given_back, caplog
):
    cookie = await sync_to_async(session_cookie)(bob)
    held = full_pool()
    await sync_to_async(held.__enter__)()
    try:
        raw = WebsocketCommunicator(application, "/ws/", [cookie, *PAGE])
        await raw.connect(timeout=5)
        hello = json.loads(await raw.receive_from(timeout=5))
        await raw.disconnect()
    finally:
        await sync_to_async(held.__exit__)(None, None, None)
    assert (hello["type"], hello["user"]["id"]) == ("hello", bob.pk)
    assert faults(caplog) == []


async def test_a_socket_whose_session_only_the_database_knows_is_told_to_come_back(
    room, bob, given_back, caplog
):
    cookie = await sync_to_async(session_cookie)(bob)
    await sync_to_async(cache.clear)()
    held = full_pool()
    await sync_to_async(held.__enter__)()
    try:
        raw = WebsocketCommunicator(application, "/ws/", [cookie, *PAGE])
        await raw.connect(timeout=5)
        closed = await raw.receive_output(timeout=5)
    finally:
        await sync_to_async(held.__exit__)(None, None, None)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4013)
    assert json.loads(closed["reason"])["retry_after"] > 0
    assert faults(caplog) == []
    async with socket(bob) as client:
        assert (await client.subscribe(room))["type"] == "subscribed"


async def test_who_enters_by_stomp_is_told_to_try_again(room, charlie, given_back, caplog):
    async with stomp(charlie) as client:
        await client.subscribe("/user/queue/errors", id="e")
        held = full_pool()
        await sync_to_async(held.__enter__)()
        try:
            await client.deed("enter", room)
            told = await client.next("MESSAGE", subscription="e")
        finally:
            await sync_to_async(held.__exit__)(None, None, None)
        assert told.headers["code"] == "unavailable"
        assert faults(caplog) == []
