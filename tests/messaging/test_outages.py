"""Redis or MongoDB dies under two processes: talking and joining go on, and it heals by itself."""

import asyncio
import signal
import tempfile
from pathlib import Path

import pytest

from chattalk.embedded import folder
from chattalk.embedded.others import MongoWire, Valkey
from tests.messaging.test_two_processes import frame, open_room, post, say, subscribe
from tests.stack import Stack


@pytest.fixture(scope="module")
def stores():
    """A Redis and a MongoDB of our own, to kill."""
    data = Path(tempfile.mkdtemp(prefix="chattalk-outage-"))
    folder.make_folder(data, 0o755)
    folder.make_folder(data / "run", 0o711)
    folder.make_folder(data / "log", 0o700)
    folder.make_socket_folder(data)
    stores = {"redis": Valkey(data), "mongodb": MongoWire(data)}
    for store in stores.values():
        store.start()
        store.wait()
    yield stores
    for store in stores.values():
        store.process.stop()


@pytest.fixture(scope="module")
def fragile(stores, django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        stack = Stack(
            REDIS_URL=stores["redis"].url(), MONGODB_URL=stores["mongodb"].url(), database="fragile"
        )
        with stack.in_use():
            yield stack
        print(stack.said())
        stack.close()


def kill(store):
    store.process.signal(signal.SIGKILL)
    store.process.wait()


def bring_back(store):
    store.start()
    store.wait()


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
