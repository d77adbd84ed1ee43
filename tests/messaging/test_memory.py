"""A worker collects garbage a little at a time (chattalk/server/memory.py), so what is over must go
by itself. Clients here are plain sockets, in a thread: they leave nothing that would count.
"""

import asyncio
import contextvars
import gc
import json
import socket
from collections import Counter
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.core.cache import caches

from chattalk.server import memory
from messaging.live import node
from tests.interfaces.socket.client import session_cookie
from tests.messaging.served import served
from tests.presence.cluster import until
from tests.raw_line import SECONDS, UPGRADE, frame, head

ON_UVLOOP = pytest.mark.asyncio(loop_factories=["uvloop"])  # asyncio's own transports go in circles

CLOSE, TEXT = 8, 1
VISITS = 40  # the start leaves some things once, fewer than that of a kind


@pytest.fixture
def collected_little():
    """What a worker does to this process when it starts is undone."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)
    gc.enable()


def test_there_is_one_of_each_cache_whatever_the_context():
    for alias in ("default", "tokens"):
        here = caches[alias]
        assert contextvars.Context().run(lambda alias=alias: caches[alias]) is here
    assert caches["default"] is not caches["tokens"]


def test_a_worker_keeps_what_it_began_with_out_of_the_collectors_way(collected_little):
    memory.settle()
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold() == memory.THRESHOLDS


def opened(url, cookie):
    where = urlsplit(url)
    line = socket.create_connection((where.hostname, where.port), timeout=SECONDS)
    line.sendall(head("/ws/", *UPGRADE, "Origin: http://127.0.0.1", f"Cookie: {cookie}"))
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += line.recv(1)
    assert b" 101 " in answer
    return line


def talk(url, cookie, room_id):
    """One visit: until a message of one's own is heard."""
    body = str(uuid4())
    with opened(url, cookie) as line:
        for told in (
            {"type": "subscribe", "room": room_id},
            {"type": "typing", "room": room_id},
            {"type": "nonsense"},
            {"type": "send", "room": room_id, "body": body, "cid": body},
        ):
            line.sendall(frame(TEXT, json.dumps(told).encode()))
        heard = b""
        while b'"ack"' not in heard or heard.count(body.encode()) < 2:
            assert (more := line.recv(65536)), heard
            heard += more
        line.sendall(frame(CLOSE, b"\x03\xe8"))
        while line.recv(65536):
            pass


async def left_by(visit, *given):
    """What each visit leaves that only a collection takes away: kinds, and how many of each."""
    await asyncio.to_thread(visit, *given)
    await until(lambda: not node.current().connections.doors())
    gc.collect()
    gc.disable()
    for _ in range(VISITS):
        await asyncio.to_thread(visit, *given)
    await until(lambda: not node.current().connections.doors())
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    kinds = Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.garbage)
    gc.garbage.clear()
    return {kind: count for kind, count in kinds.items() if count >= VISITS}


@ON_UVLOOP
async def test_who_came_and_talked_and_went_leaves_nothing(room, alice, settings, collected_little):
    settings.MESSAGE_BURST = 1000
    _, cookie = await sync_to_async(session_cookie)(alice)
    async with served() as url:
        assert await left_by(talk, url, cookie.decode(), room.pk) == {}
