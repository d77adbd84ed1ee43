"""What sockets cost: queries and encodings, however many come or listen at the same time."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.conf import settings

from accounts import sessions, validity
from chattalk.asgi import application
from core import redis
from core.postgresql import reads
from interfaces.socket import authentication
from messaging import log
from messaging.live import node
from messaging.log.event import encode
from tests.interfaces.socket.client import PAGE, Socket, session_cookie, socket


@pytest.fixture
def statements(monkeypatch):
    """All that is asked of the database from the event loop."""
    statements, run = [], reads.run

    async def counting(connection, sql, *rest):
        statements.append(sql)
        return await run(connection, sql, *rest)

    monkeypatch.setattr("messaging.live.writer.run", counting)
    monkeypatch.setattr("core.postgresql.reads.run", counting)
    return statements


async def test_posting_takes_one_query(room, bob, statements):
    async with socket(bob) as client:
        await client.subscribe(room)
        await client.say(room, "warm")
        statements.clear()
        await client.say(room, "counted")
        assert statements == [log.POST]


async def test_subscribing_to_a_room_that_is_held_takes_one_query(room, alice, bob, statements):
    async with socket(alice) as one, socket(bob) as two:
        after = (await one.subscribe(room))["head"]
        await one.say(room, "kept ready")
        statements.clear()
        assert (await two.subscribe(room, after=after))["recovered"]
        assert (await two.next("event"))["body"] == "kept ready"
        await two.next("presence")
        by_the_clock = (log.LOOK, validity.HOLD)
        assert [one for one in statements if one not in by_the_clock] == [log.MEMBER_STATES]


async def test_a_message_is_encoded_once_for_all_who_get_it(room, alice, bob, monkeypatch):
    encoded = []

    def counting(frame):
        encoded.append(frame)
        return encode(frame)

    monkeypatch.setattr("messaging.live.entries.encode", counting)
    async with socket(alice) as one, socket(bob) as two, socket(bob) as three:
        for client in (one, two, three):
            await client.subscribe(room)
        encoded.clear()
        await one.say(room, "to all")
        for client in (one, two, three):
            assert (await client.next("event"))["body"] == "to all"
    assert [frame.body for frame in encoded] == ["to all"]


@pytest.mark.skipif(
    redis.is_cluster(settings.REDIS_URL), reason="in a cluster nobody believes to be alone"
)
async def test_where_one_process_serves_alone_a_message_costs_the_channel_layer_nothing(
    room, alice, bob, monkeypatch
):
    async with socket(alice) as one, socket(bob) as two:
        for client in (one, two):
            await client.subscribe(room)
        told, layer = [], get_channel_layer()
        publish = layer.publish_many

        async def counting(messages, by=None):
            told.extend(messages)
            return await publish(messages, by)

        monkeypatch.setattr(layer, "publish_many", counting)
        async with asyncio.timeout(5):
            while not node.current().hub.broker._hearers.is_alone:
                await one.say(room, "who hears?")
                await asyncio.sleep(0.3)  # until others are told that logs grow
        told.clear()
        for _ in range(5):
            await one.say(room, "nobody else")
        await asyncio.sleep(0.3)
        assert told == []


async def test_many_who_sign_in_together_are_looked_up_together(alice, bob, monkeypatch):
    cookies = [await sync_to_async(session_cookie)(person) for person in (alice, bob)]
    looks, of = [], sessions.Owners.of

    async def looking(self, keys):
        looks.append(len(keys))
        return await of(self, keys)

    monkeypatch.setattr("accounts.sessions.Owners.of", looking)
    scopes = [{"headers": [*PAGE, cookie]} for cookie in cookies * 10]
    callers = await asyncio.gather(*map(authentication.by_session, scopes))
    assert [user for user, _proof in callers] == [alice, bob] * 10
    assert looks == [20]


async def test_who_comes_back_costs_two_queries_and_no_thread(room, bob, statements, monkeypatch):
    cookie = await sync_to_async(session_cookie)(bob)
    async with socket(bob) as before:
        head = (await before.subscribe(room))["head"]
        await before.next("presence")
        threads = []
        monkeypatch.setattr(
            "asgiref.sync.SyncToAsync.__call__", lambda *asked: threads.append(asked)
        )
        statements.clear()
        client = Socket(WebsocketCommunicator(application, "/ws/", [cookie, *PAGE]))
        await client.raw.connect(timeout=5)
        assert (await client.subscribe(room, after=head))["recovered"]
        await client.next("presence")
        await client.close()
    by_the_clock = (log.LOOK, validity.HOLD)
    queries = [one for one in statements if one not in by_the_clock]
    assert (queries, threads) == ([sessions.PEOPLE, log.MEMBER_STATES], [])


async def test_many_who_subscribe_together_are_looked_up_together(room, alice, bob, statements):
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(socket(user)) for user in (alice, bob) * 5]
        await clients[0].subscribe(room)
        statements.clear()
        answers = await asyncio.gather(*(client.subscribe(room) for client in clients))
    assert {answer["type"] for answer in answers} == {"subscribed"}
    assert 1 <= statements.count(log.MEMBER_STATES) <= 3  # not ten
