"""Clients and servers that behave badly, through uvicorn with real sockets."""

import asyncio
import json
import os
import signal
import socket as sockets
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
import websockets
from django.conf import settings

from tests import raw_line
from tests.raw_line import UPGRADE, head
from tests.raw_socket import frame, say, subscribe, tell
from tests.stack import Stack, open_room

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def fast(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        stack = Stack(MESSAGE_RATE="1000000", MESSAGE_BURST="1000000", database="review")
        with stack.in_use():
            yield stack
        print(stack.said())
        stack.close()


def raw_socket(stack, number, person, receive_buffer=4096):
    url = urlsplit(stack.urls[number])
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, receive_buffer)
    raw.connect((url.hostname, url.port))
    raw.sendall(head("/ws/", *UPGRADE, "Origin: http://127.0.0.1", f"Cookie: {person.cookie}"))
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += raw.recv(1)
    assert b" 101 " in answer, answer
    return raw


def forget_most(pid):
    """The memory that a process has now, in MiB; `most_memory` is the most from here on."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return most_memory(pid)


def most_memory(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024


def unsent(stack, number):
    """What the kernel holds for the worker's connections, the most of them."""
    port = urlsplit(stack.urls[number]).port
    command = ["ss", "-Htn", "state", "established", f"( sport = :{port} )"]
    lines = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
    return max([int(line.split()[1]) for line in lines] or [0])


async def test_a_client_that_stalls_with_less_than_the_bound_waiting_is_let_go(fast):
    """Its pongs fail after 40 s; the graceful close then waits for its reading for ever."""
    alice, bob = await fast.apeople("alice", "bob")
    room_id = await fast.arun(open_room, alice, bob)
    async with fast.socket(1, alice) as one:
        await subscribe(one, room_id)
        stalled = await asyncio.to_thread(raw_socket, fast, 0, bob)
        asked = json.dumps({"type": "subscribe", "room": room_id}).encode()
        stalled.sendall(raw_line.frame(1, asked))
        while (await frame(one, "presence"))["count"] < 2:
            pass
        before = -1
        while before < unsent(fast, 0) or not before:  # until the kernel takes no more
            before = unsent(fast, 0)
            for _ in range(5):
                await say(one, room_id, "한" * 4000)
            await asyncio.sleep(0.1)
        try:
            async with asyncio.timeout(65):
                while (json.loads(await one.recv())).get("count") != 1:
                    pass
        except TimeoutError:
            pytest.fail("still here after 65 s")
        finally:
            stalled.close()


async def test_pings_of_a_client_that_does_not_read_take_bounded_memory(fast):
    """Pings of any size, at any speed: the most that was ever taken counts, and the worker reads on
    only as fast as pings may come."""
    (bob,) = await fast.apeople("bob")
    before = forget_most(fast.pids[1])
    for size in (125, 0):
        raw = await asyncio.to_thread(raw_socket, fast, 1, bob)
        raw.settimeout(3)
        with closing(raw), pytest.raises((TimeoutError, ConnectionError)):  # it takes no more
            await asyncio.to_thread(push, raw, raw_line.frame(9, b"x" * size), 80 * MIB)
    grown = most_memory(fast.pids[1]) - before
    assert grown < 20, f"{grown} MiB more"


def push(raw, piece, size):
    many = piece * (512 * 1024 // len(piece))
    for _ in range(size // len(many)):
        raw.sendall(many)


async def test_a_database_that_stands_still_is_answered_within_the_patience(fast):
    alice, bob = await fast.apeople("alice", "bob")
    room_id = await fast.arun(open_room, alice, bob)
    async with fast.socket(0, alice) as ws:
        await say(ws, room_id, "warm")
        pids = postgres_processes()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            started = time.monotonic()
            await ws.send(
                json.dumps({"type": "send", "room": room_id, "cid": str(uuid4()), "body": "now?"})
            )
            answer = json.loads(await asyncio.wait_for(ws.recv(), 25))
            waited = time.monotonic() - started
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
    assert answer["code"] == "unavailable"
    assert waited < 5, f"{waited:.1f} s"


def postgres_processes():
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
        folder = server.execute("SHOW data_directory").fetchone()[0]
    first = int(Path(folder, "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    return [first, *map(int, children)]


async def test_pages_and_sockets_do_not_notice_a_restart_of_the_database(fast):
    """What is in the pools afterwards is dead."""
    alice, bob = await fast.apeople("alice", "bob")
    room_id = await fast.arun(open_room, alice, bob)

    def page():
        cookie = {"Cookie": alice.cookie}
        try:
            request = urllib.request.Request(fast.urls[0], headers=cookie)
            return urllib.request.urlopen(request, timeout=20).status
        except urllib.error.HTTPError as error:
            return error.code

    async with fast.socket(0, alice) as ws:
        await asyncio.gather(*(asyncio.to_thread(page) for _ in range(8)))
        await asyncio.gather(*(subscribe(ws, room_id) for _ in range(1)))
        with psycopg.connect(settings.DATABASE_URL, autocommit=True) as server:
            server.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = 'review' AND pid <> pg_backend_pid()"
            )
        await tell(ws, "subscribe", room=room_id)
        answer = await frame(ws, "subscribed", "nack")
        pages = [await asyncio.to_thread(page) for _ in range(8)]
    assert (answer["type"], set(pages)) == ("subscribed", {200}), pages


async def test_sends_that_are_under_way_are_answered_before_a_restart_closes_the_socket(fast):
    alice, bob = await fast.apeople("alice", "bob")
    room_id = await fast.arun(open_room, alice, bob)
    holder = await psycopg.AsyncConnection.connect(fast.environment["DATABASE_URL"])
    await holder.execute("SELECT 1 FROM rooms_room WHERE id = %s FOR UPDATE", [room_id])
    async with fast.socket(0, alice) as ws:
        for i in range(10):
            await tell(ws, "send", room=room_id, body=f"{i}", cid=str(uuid4()))
        await asyncio.sleep(0.3)
        os.kill(fast.pids[0], signal.SIGTERM)
        await asyncio.sleep(0.3)
        await holder.close()
        answers = 0
        with pytest.raises(websockets.ConnectionClosed) as closed:
            while True:
                got = json.loads(await asyncio.wait_for(ws.recv(), 12))
                answers += got["type"] in ("ack", "nack")
    await asyncio.to_thread(fast.workers[0].process.wait)
    await asyncio.to_thread(fast.mend)
    assert closed.value.rcvd.code == 1012
    assert answers == 10
