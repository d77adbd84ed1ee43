"""When something of ours fails, each client hears of it by a close frame of ours, whatever its door
and whichever the server: uvicorn alone would send none, daphne 1011."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlsplit

import psycopg
import pytest
from django.utils import timezone

from accounts import tokens
from accounts.models import Device, User
from bench import client
from faults import judge
from messaging.live.close_codes import CloseCode
from tests.messaging.served import served
from tests.messaging.test_paths import daphne  # noqa: F401  (a fixture)
from tests.raw_socket import SECONDS, by_token, opened, to_the_end
from tests.stack import socket_at

SOCKJS = "/stomp/chat/123/abcdefgh/websocket"
PLAIN = "/stomp/chat/websocket"


@asynccontextmanager
async def broken(stack, table):
    """SQL that names it fails, as after a migration that went wrong."""
    with psycopg.connect(stack.environment["DATABASE_URL"], autocommit=True) as database:
        database.execute(f"ALTER TABLE {table} RENAME TO {table}_elsewhere")
        try:
            yield
        finally:
            database.execute(f"ALTER TABLE {table}_elsewhere RENAME TO {table}")


def token_of(person):
    user, later = User.objects.get(pk=person.id), timezone.now() + timedelta(days=1)
    device = Device.objects.create(user=user, password_mark=user.password_mark, expires_at=later)
    return tokens.access(device)


@asynccontextmanager
async def with_token(url, path, token):
    async with opened(url, path, words=by_token(token) if path == "/ws/" else []) as ws:
        connect = f"CONNECT\naccept-version:1.2\nhost:x\nAuthorization:Bearer {token}\n\n\0"
        if path != "/ws/":
            await ws.send(json.dumps([connect]) if path == SOCKJS else connect)
        yield ws


@pytest.fixture(params=["uvicorn", "daphne"])
def url(request, stack, daphne):  # noqa: F811
    return stack.urls[0] if request.param == "uvicorn" else daphne


@pytest.mark.parametrize("path", ["/ws/", "/stomp", SOCKJS, PLAIN])
async def test_a_fault_of_ours_is_told_by_a_frame_of_ours_at_every_door(stack, url, path):
    (alice,) = await stack.apeople("alice")
    token = await stack.arun(token_of, alice)
    async with broken(stack, "accounts_device"), with_token(url, path, token) as ws:
        told = await to_the_end(ws)
    assert ws.close_code == CloseCode.FAULT
    if url == stack.urls[0]:  # daphne tells no reason
        assert 1 <= json.loads(ws.close_reason)["retry_after"] <= 10
        assert stack.said().count("Traceback (most recent call last)") > 0
    if path != "/ws/":
        assert "code:error" in "".join(told) and "It is written down." in "".join(told)
    assert ('c[4500, "error"]' in told) is (path == SOCKJS)
    async with with_token(url, path, token) as ws:  # and when it is mended it goes on
        first = await asyncio.wait_for(ws.recv(), SECONDS)
        again = first if first != "o" else await asyncio.wait_for(ws.recv(), SECONDS)
        assert "hello" in again or "CONNECTED" in again


async def test_a_browser_is_told_it_too(stack, url):
    (alice,) = await stack.apeople("alice")
    async with broken(stack, "accounts_user"), socket_at(url, alice) as ws:
        assert await to_the_end(ws) == []
    assert ws.close_code == CloseCode.FAULT


async def test_what_the_server_writes_down_is_ours_and_not_that_something_escaped(stack):
    (alice,) = await stack.apeople("alice")
    token = await stack.arun(token_of, alice)
    stack.said()
    for path in ("/ws/", "/stomp", SOCKJS, PLAIN):
        async with broken(stack, "accounts_device"), with_token(stack.urls[0], path, token) as ws:
            await to_the_end(ws)
    said = stack.said()
    assert said.count("a socket failed") + said.count("a frame of STOMP failed") == 4
    assert "Exception in ASGI application" not in said


async def test_who_answers_no_ping_is_closed_with_another_code(monkeypatch):
    """That is uvicorn's own, and no fault of ours: nor does the fault harness count it as one."""
    monkeypatch.setattr("chattalk.server.worker.PING_EVERY", 0.2)
    monkeypatch.setattr("chattalk.server.worker.PONG_WITHIN", 0.3)

    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    gone = asyncio.Event()
    async with served(app) as address:
        mute = await client.connect(urlsplit(address).port, "/", print, gone.set)
        mute._write = lambda *_frame: None
        await asyncio.wait_for(gone.wait(), SECONDS)
    assert (mute.code, mute.reason) == (CloseCode.INTERNAL_ERROR, judge.NO_PONG)
    assert not judge.is_fault(mute.code, mute.reason)
    assert judge.is_fault(CloseCode.FAULT, "") and judge.is_fault(CloseCode.INTERNAL_ERROR, "")
