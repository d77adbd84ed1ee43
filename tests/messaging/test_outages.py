"""Redis or MongoDB dies under two processes: talking and joining go on, and it heals by itself.
PostgreSQL that only reads is unavailable for a while, and no fault of ours."""

import asyncio

from messaging.live import node
from tests.interfaces.socket.client import socket
from tests.messaging.stores import bring_back, kill
from tests.raw_socket import frame, say, subscribe
from tests.stack import open_room, post


def member_of(room_id, person):
    from rooms.models import Membership

    return Membership.objects.filter(room_id=room_id, user_id=person.id).exists()


async def test_without_redis_talking_and_joining_go_on_and_it_heals(fragile, stores):
    alice, bob, dana = await fragile.apeople("alice", "bob", "dana")
    room = await fragile.arun(open_room, alice, bob)
    async with fragile.socket(0, alice) as one, fragile.socket(1, bob) as two:
        await subscribe(one, room)
        await subscribe(two, room)
        kill(stores["redis"])
        for i in range(5):
            assert (await say(one, room, f"without {i}"))["type"] == "ack"
        # The layer is gone: the other process finds them by looking at the heads.
        assert [(await frame(two, "event"))["body"] for _ in range(5)] == [
            f"without {i}" for i in range(5)
        ]
        await asyncio.to_thread(post, f"{fragile.urls[0]}/rooms/{room}/join/", dana)
        assert await fragile.arun(member_of, room, dana)
        assert (await frame(two, "event"))["kind"] == "enter"
        bring_back(stores["redis"])
        assert (await say(two, room, "it is back"))["type"] == "ack"
        async with asyncio.timeout(15):
            while (await frame(one, "event")).get("body") != "it is back":
                pass


async def test_without_mongodb_talking_goes_on_and_presence_says_so_and_heals(fragile, stores):
    alice, bob = await fragile.apeople("alice", "bob")
    room = await fragile.arun(open_room, alice, bob)
    async with fragile.socket(0, alice) as one:
        await subscribe(one, room)
        kill(stores["mongodb"])
        async with fragile.socket(1, bob) as two:
            await subscribe(two, room)
            assert (await say(two, room, "still talking"))["type"] == "ack"
            assert (await frame(one, "event"))["body"] == "still talking"
            async with asyncio.timeout(30):
                while not (await frame(one, "presence"))["degraded"]:
                    pass
            bring_back(stores["mongodb"])
            async with asyncio.timeout(30):
                while (await frame(one, "presence"))["degraded"]:
                    pass


async def test_a_database_that_only_reads_is_unavailable_and_the_socket_stays(room, bob, caplog):
    """As after a failover: default_transaction_read_only."""
    async with socket(bob) as client:
        hub_reads = node.current().reads
        await hub_reads.rows("SELECT 1")
        for one in list(hub_reads._pool._pool):
            await one.execute("SET default_transaction_read_only = on")
        await client.send("read", room=room.pk, seq=1)
        assert (await client.next("nack"))["code"] == "unavailable"
    assert [one for one in caplog.records if one.exc_info] == []  # it is said, in a line
