"""Many messages told in one round trip, over real Redis servers."""

import asyncio
import socket
import tempfile
from contextlib import asynccontextmanager, contextmanager
from operator import itemgetter
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
import redis.asyncio as single
from django.conf import settings
from django.db import connections

from chattalk.embedded import data_dir
from chattalk.embedded.valkey import Valkey
from core import redis
from core.postgresql.reads import Reads
from messaging.live import broker
from messaging.live.broker import Broker
from messaging.live.channel_layer import PubSubLayer
from messaging.live.drafts import Draft
from messaging.live.hub import Hub
from messaging.live.sharded_layer import ShardedLayer
from messaging.live.writer import Writer
from tests.messaging.conftest import person


@asynccontextmanager
async def process(*urls):
    """A process's side of the channel layer, on these servers."""
    hosts = [{"address": url, "socket_timeout": None} for url in urls]
    is_cluster = any(redis.is_cluster(host) for host in urls)
    side = (ShardedLayer if is_cluster else PubSubLayer)(hosts=hosts, prefix="test")
    yield side
    await side.flush()


def numbered(groups, many):
    messages = [(group, {"n": n, "group": group}) for n in range(many) for group in groups]
    return [(group, msgspec.msgpack.encode(message)) for group, message in messages]


async def received(side, channel, many):
    async with asyncio.timeout(10):
        return [await side.receive(channel) for _ in range(many)]


async def test_many_messages_reach_another_process_in_their_order():
    async with process(settings.REDIS_URL) as teller, process(settings.REDIS_URL) as hearer:
        channel = await hearer.new_channel()
        for group in ("one", "two"):
            await hearer.group_add(group, channel)
        told = numbered(["one", "unheard", "two"], 200)
        await teller.publish_many(told)
        expected = [msgspec.msgpack.decode(one) for group, one in told if group != "unheard"]
        heard = await received(hearer, channel, len(expected))
        if redis.is_cluster(settings.REDIS_URL):  # where each group has an order of its own
            heard, expected = (sorted(each, key=itemgetter("group")) for each in (heard, expected))
        assert heard == expected


async def test_of_two_sites_at_one_redis_each_hears_its_own(monkeypatch):
    heard, database = [], connections.settings["default"]
    async with process(settings.REDIS_URL) as here, process(settings.REDIS_URL) as there:
        monkeypatch.setattr(broker, "get_channel_layer", lambda: here)
        hearer = Broker("here", heard=lambda _, told: heard.append(told["n"]))
        await hearer.join(1)
        monkeypatch.setattr(broker, "get_channel_layer", lambda: there)
        teller = Broker("there", heard=lambda *_: None)
        for n, name in enumerate(["another site's", database["NAME"]]):
            monkeypatch.setitem(database, "NAME", name)
            teller.publish(1, {"type": "typing", "n": n})
            await teller._teller
        async with asyncio.timeout(10):
            while 1 not in heard:
                await asyncio.sleep(0.01)
        await hearer.close()
        await teller.close()
    assert heard == [1]


async def test_nothing_to_tell_is_told():
    async with process(settings.REDIS_URL) as teller:
        await teller.publish_many([])


class Heard(list):
    def take(self, lines):
        self.extend(range(lines.first, lines.last + 1))

    __hash__ = object.__hash__


async def test_what_one_process_stores_another_hears_in_order_without_asking(
    room, bob, monkeypatch
):
    reads = Reads()
    here, there = Hub("here", reads), Hub("there", reads)
    writer, heard = Writer(here.stored), Heard()
    feed = await there.hold(room.pk)
    feed.listeners.add(heard)
    monkeypatch.setattr(feed._source, "read", None)  # all came by the layer
    drafts = [Draft(room.pk, person(bob), uuid4(), f"{i}") for i in range(300)]
    for several in (drafts[:1], drafts[1:100], drafts[100:]):
        await asyncio.gather(*map(writer.put, several))
    async with asyncio.timeout(10):
        while len(heard) < 300:
            await asyncio.sleep(0.01)
    assert heard == list(range(3, 303))
    await writer.close()
    for hub in (here, there):
        await hub.close()
    await reads.close()


@pytest.fixture
def port():
    """Where nobody answers."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
async def silent():
    """Where somebody takes every connection, and says nothing."""
    lines = []
    server = await asyncio.start_server(lambda _, writer: lines.append(writer), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    for line in lines:
        line.close()
    server.close()


async def test_a_dead_redis_raises_what_the_layer_takes_for_a_failure(port):
    async with process(f"redis://127.0.0.1:{port}") as teller:
        for _ in range(2):
            with pytest.raises(broker.FAILURES):
                await teller.publish_many(numbered(["one"], 3))


async def test_a_redis_that_says_nothing_holds_nobody_up_for_ever(silent):
    async with process(f"redis://127.0.0.1:{silent}") as teller:
        for _ in range(2):
            with pytest.raises(broker.FAILURES):
                async with asyncio.timeout(0.2):
                    await teller.publish_many(numbered(["one"], 3))


async def test_while_redis_is_dead_what_is_told_is_dropped_and_nobody_waits(port, monkeypatch):
    async with process(f"redis://127.0.0.1:{port}") as dead:
        monkeypatch.setattr(broker, "get_channel_layer", lambda: dead)
        side = Broker("here", heard=lambda *_: None)
        side.publish(1, {"type": "typing"})
        async with asyncio.timeout(10):
            await side._teller
        side.publish(1, {"type": "typing"})
        assert side.breaker.is_down and side._teller is None and not side._backlog
        await side.close()


@pytest.fixture
def urls():
    with one_more() as first, one_more() as second:
        yield [first, second]


@contextmanager
def one_more():
    data = Path(tempfile.mkdtemp(prefix="chattalk-shard-"))
    data_dir.make_folder(data, 0o755)
    for name, mode in (("run", 0o711), ("log", 0o700)):
        data_dir.make_folder(data / name, mode)
    data_dir.make_socket_folder(data)
    server = Valkey(data)
    server.start()
    server.wait()
    yield server.url()
    server.process.stop()


async def test_each_of_two_servers_gets_what_is_for_its_groups(urls):
    groups = [f"room.{i}" for i in range(20)]
    async with process(*urls) as teller, process(*urls) as hearer:
        channel = await hearer.new_channel()
        for group in groups:
            await hearer.group_add(group, channel)
        for url in urls:
            async with single.Redis.from_url(url) as server:
                assert await server.pubsub_channels("test__group__*")
        told = numbered(groups, 10)
        await teller.publish_many(told)
        heard = await received(hearer, channel, len(told))
        for group in groups:
            ours = [message["n"] for message in heard if message["group"] == group]
            assert ours == list(range(10)), group
