"""Who reads a large answer slowly keeps nothing of ours but the answer."""

import asyncio

from asgiref.sync import sync_to_async

from chattalk.asgi import application
from messaging import log
from tests.interfaces.socket.client import session_cookie
from tests.messaging.conftest import closed_node, room  # noqa: F401
from tests.messaging.test_full_pool import full_pool


def scope(path, cookie):
    return {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": b"limit=100", "root_path": "",
        "headers": [(b"host", b"localhost"), cookie], "client": ("127.0.0.1", 5), "server": None,
    }  # fmt: skip


async def asked(path, cookie, may_go_on):
    """A request whose reader takes the first piece, and the next once it may."""
    said, came = [], [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive():
        if came:
            return came.pop()
        await asyncio.Event().wait()  # it stays

    async def send(message):
        said.append(message)
        if message["type"] == "http.response.body":
            await may_go_on.wait()

    task = asyncio.ensure_future(application(scope(path, cookie), receive, send))
    while len(said) < 2 and not task.done():
        await asyncio.sleep(0.01)
    return task, said


async def test_slow_readers_leave_the_connections_to_the_others(room, alice, bob):  # noqa: F811
    await sync_to_async(log.append)(room.pk, "message", [alice.pk] * 60, "x" * 4_000)
    cookie = await sync_to_async(session_cookie)(bob)
    slow, now = asyncio.Event(), asyncio.Event()
    now.set()
    path = f"/rooms/{room.pk}/history/"
    held = full_pool(size=2)
    await sync_to_async(held.__enter__)()
    try:
        readers = [await asked(path, cookie, slow) for _ in range(4)]
        assert [said[0]["status"] for _task, said in readers] == [200] * 4
        assert not any(task.done() for task, _said in readers)
        task, said = await asked(path, cookie, now)
        await task
        assert said[0]["status"] == 200
        assert sum(len(one.get("body", b"")) for one in said) > 200_000
        slow.set()
        await asyncio.gather(*(task for task, _said in readers))
    finally:
        await sync_to_async(held.__exit__)(None, None, None)
