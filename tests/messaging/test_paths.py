"""Frames go straight to uvicorn's transport, and by the plain ASGI send to any other server.

Whoever is at the other end sees the same: here by one of our workers, and by daphne.
"""

import asyncio
import json

import pytest

from messaging import services
from tests.messaging.plainly import by_daphne
from tests.messaging.seen import cid, seen
from tests.presence.cluster import until
from tests.raw_socket import frame, say, subscribe, tell
from tests.stack import open_room, socket_at


@pytest.fixture(scope="module")
def daphne(_stack, tmp_path_factory):
    """On the database of the stack, as one more of its processes."""
    log = tmp_path_factory.mktemp("daphne") / "log"
    with by_daphne(_stack.environment, log) as url:
        yield url


async def test_the_transport_of_another_server_is_not_known(stack, daphne):
    async with socket_at(daphne, path="/behind") as ws:
        assert await ws.recv() == "None"


async def test_one_conversation_is_the_same_frame_for_frame_at_both_servers(stack, daphne):
    at_uvicorn = await conversation(stack, stack.urls[0])
    at_daphne = await conversation(stack, daphne)
    assert at_daphne == at_uvicorn


async def conversation(stack, url):
    """What bob is sent there, without times and ids; alice is at a server of her own."""
    alice, bob, dana = await stack.apeople("alice", "bob", "dana")
    room = await stack.arun(open_room, alice, bob)
    people = {alice.id: "alice", bob.id: "bob", dana.id: "dana"}
    names = {"room": {room: "the room"}, "id": people, "owner": people}
    async with stack.socket(1, alice) as one, seen(url, bob) as two:
        await subscribe(one, room)
        await two.ask("subscribe", room=room)
        await two.saw_here("Alice", "Bob")
        await _others_talk(stack, room, alice, dana, one, two)
        await _bob_talks(room, two)
        await _bob_comes_back(room, two)
    return [json.dumps(_plain(got, names)) for got in two.frames]


async def _others_talk(stack, room, alice, dana, one, two):
    for number, body in enumerate(["hello", "안녕 🙂", "x" * 4000]):
        await tell(one, "send", room=room, body=body, cid=cid(number))
        last = await frame(one, "ack")
    await two.saw(lambda got: got.get("seq") == last["seq"])
    await tell(one, "typing", room=room)
    await two.saw(lambda got: got["type"] == "typing")
    await stack.arun(_join, room, dana)
    await two.saw(lambda got: got.get("kind") == "enter")
    async with stack.socket(1, dana) as three:
        await subscribe(three, room)
        await two.saw_here("Alice", "Bob", "Dana")
        await stack.arun(_leave, room, dana)
        await two.saw(lambda got: got.get("kind") == "leave")
        await two.saw_here("Alice", "Bob")


async def _bob_talks(room, two):
    await tell(two.ws, "send", room=room, body="mine", cid=cid(1), ref="first")
    await two.saw(lambda got: got.get("body") == "mine")
    for body in ("mine", "another", " "):  # a repeat, a conflict, and nothing
        before = len(two.texts)
        await tell(two.ws, "send", room=room, body=body, cid=cid(1))
        await until(lambda before=before: len(two.texts) > before)
    await tell(two.ws, "send", room=2**60, body="who?", cid=cid(2))
    await two.saw(lambda got: got["type"] == "nack" and got["code"] == "not_member")
    await two.ask("nothing of the kind")
    await two.ask("read", room=room, seq=3)
    await two.ask("typing", room=room)
    await two.ask("unsubscribe", room=room)


async def _bob_comes_back(room, two):
    for after in (5, 0, 10_000):  # from the ring, from the database, from where nobody was
        await two.ask("subscribe", room=room, after=after)
    await two.ask("watch", rooms=[room, 2**60])


def _plain(got, names):
    if isinstance(got, list):
        return [_plain(each, names) for each in got]
    if not isinstance(got, dict):
        return got
    return {
        key: names[key].get(value, value) if key in names else _plain(value, names)
        for key, value in got.items()
        if key != "at"
    }


def _user(person):
    from accounts.models import User

    return User.objects.get(pk=person.id)


def _join(room_id, person):
    services.join(room_id, _user(person))


def _leave(room_id, person):
    services.leave(room_id, _user(person))


def _remove(room_id, person, by):
    services.remove(room_id, person.id, by=_user(by))


async def test_who_is_removed_amid_a_burst_sees_the_same_to_the_byte_at_both(stack, daphne):
    alice, bob = await stack.apeople("alice", "bob")
    room = await stack.arun(open_room, alice, bob)
    async with (
        stack.socket(1, alice) as one,
        seen(stack.urls[0], bob) as fast,
        seen(daphne, bob) as plain,
    ):
        for client in (fast, plain):
            await client.ask("subscribe", room=room)
        removing = None
        for i in range(18):
            await tell(one, "send", room=room, body=f"{i}", cid=cid(i))
            if i == 8:
                await frame(one, "ack")
                removing = asyncio.create_task(stack.arun(_remove, room, bob, alice))
            await asyncio.sleep(0)
        await removing
        for _ in range(17):
            assert (await frame(one, "ack", "nack"))["type"] == "ack"
        for client in (fast, plain):
            await client.saw(lambda got: got["type"] == "unsubscribed")
            await client.settled()
        assert fast.texts == plain.texts
        *events, leave, unsubscribed = fast.frames[2:]  # after hello and subscribed
        assert [event["body"] for event in events] == [f"{i}" for i in range(len(events))]
        assert (leave["kind"], leave["from"]["id"]) == ("leave", bob.id)
        assert unsubscribed == {"type": "unsubscribed", "room": room, "code": "removed"}


async def test_what_was_missed_is_the_same_to_the_byte_live_from_the_ring_and_the_database(
    stack, daphne
):
    alice, bob = await stack.apeople("alice", "bob")
    room = await stack.arun(open_room, alice, bob)
    brought = []
    for url in (stack.urls[0], daphne):
        async with seen(url, bob) as live:
            await live.ask("subscribe", room=room)
            async with stack.socket(1, alice) as one:
                for i in range(3):
                    last = await say(one, room, f"{i} 한")
            await live.saw(lambda got, last=last: got.get("seq") == last["seq"])
            brought.append((live.texts[2:], last["seq"]))
    total = brought[-1][1]
    log = brought[0][0] + brought[1][0]
    for url in (stack.urls[0], daphne):
        for after in (total - 3, total - 6, 0):
            async with seen(url, bob) as back:
                await back.ask("subscribe", room=room, after=after)
                await back.saw(lambda got: got.get("seq") == total)
                assert back.frames[1]["recovered"]
                assert back.texts[-min(total - after, 6) :] == log[-min(total - after, 6) :]
