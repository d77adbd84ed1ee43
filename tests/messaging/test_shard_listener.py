"""What is heard of one node of a cluster, of a node that does as the test says."""

import asyncio

import pytest

from core import redis
from messaging.live import shard_listener
from messaging.live.shard_listener import FAILURES, ShardListener


class Node:
    """Says OK to all, once it may; keeps count of who came and who is still there."""

    def __init__(self):
        self.came = self.here = 0
        self.may_say = asyncio.Event()

    async def serve(self, reader, writer):
        self.came, self.here = self.came + 1, self.here + 1
        while said := await reader.read(10_000):
            await self.may_say.wait()
            writer.write(b"+OK\r\n" * said.count(b"*"))
        self.here -= 1
        writer.close()

    async def until_nobody_is_here(self):
        async with asyncio.timeout(5):
            while self.here:
                await asyncio.sleep(0.01)


@pytest.fixture
async def node():
    node = Node()
    async with await asyncio.start_server(node.serve, "127.0.0.1", 0) as server:
        node.where = server.sockets[0].getsockname()
        yield node


@pytest.fixture
async def listener(node):
    url = "redis+cluster://{}:{}".format(*node.where)
    connection = redis.async_connection(url, node.where, 0.5)
    listener = ShardListener(connection, lambda *_: None, lambda: None)
    yield listener
    await listener.close()
    await node.until_nobody_is_here()


async def test_who_looks_after_it_while_it_is_opened_makes_no_second_connection(node, listener):
    node.may_say.set()
    _, answers, _ = await asyncio.gather(
        listener.subscribe(["one"]), listener.answers(), listener.unsubscribe(["two"])
    )
    assert answers and listener.channels == {"one"} and node.came == 1


async def test_a_node_that_does_not_greet_is_left_soon(node, listener, monkeypatch):
    monkeypatch.setattr(shard_listener, "OPEN_SECONDS", 0.1)
    async with asyncio.timeout(5):
        with pytest.raises(FAILURES):
            await listener.subscribe(["one"])
    assert listener.is_over and not await listener.answers()
    node.may_say.set()


async def test_one_that_is_closed_while_it_is_opened_hears_nothing_and_keeps_nothing(
    node, listener
):
    opening = asyncio.create_task(listener.subscribe(["one"]))
    while not node.came:
        await asyncio.sleep(0.01)
    closing = asyncio.create_task(listener.close())
    await asyncio.sleep(0)
    node.may_say.set()
    await closing
    with pytest.raises(FAILURES):
        await opening
    assert listener.is_over and not listener.channels
    await node.until_nobody_is_here()
