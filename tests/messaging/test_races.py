"""What may come between two steps: a leave, a return, a reload, a failure."""

import asyncio
from uuid import uuid4

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from core.postgresql.reads import Unavailable
from messaging import services
from messaging.live import node
from messaging.live.drafts import Draft
from tests.interfaces.socket.client import socket
from tests.messaging.conftest import person


async def in_thread(function, *args):
    return await sync_to_async(function, thread_sensitive=False)(*args)


async def until(true, seconds=5.0):
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


async def left_and_came_back(room, user) -> int:
    """Says what a device of theirs had seen last before they left."""
    async with socket(user) as phone:
        last = (await phone.subscribe(room))["head"]
    await in_thread(services.leave, room.pk, user)
    await in_thread(services.join, room.pk, user)
    return last


async def test_who_left_and_came_back_resumes_from_before_the_leave(room, alice, bob):
    """A device that was offline during leave + join is a member's device."""
    last = await left_and_came_back(room, bob)
    async with socket(bob) as phone, socket(alice) as other:
        await phone.subscribe(room, after=last)
        await other.say(room, "welcome back")
        got = []
        while not got or got[-1].get("body") != "welcome back":
            got.append(await phone.next("event", "unsubscribed"))
            assert got[-1]["type"] == "event", got


async def test_who_left_and_came_back_is_still_here_when_an_old_device_resumes(room, alice, bob):
    last = await left_and_came_back(room, bob)
    async with socket(alice) as watcher, socket(bob) as laptop:
        await laptop.subscribe(room)
        await watcher.subscribe(room)
        rooms = node.current().presence.state.rooms
        await until(lambda: rooms[room.pk].version and bob.pk in rooms[room.pk]._people)
        async with socket(bob) as phone:
            await phone.subscribe(room, after=last)
            await asyncio.sleep(1)
            assert bob.pk in rooms[room.pk]._people  # laptop never went away


async def test_a_leave_during_a_subscribe_ends_it(room, alice, bob, monkeypatch):
    """The seat is looked at, then the feed is opened: who leaves between must not stay tuned in."""
    hub = node.current().hub
    hold = hub.hold

    async def slow_hold(room_id):
        if room_id == room.pk and not left:
            left.append(True)
            assert await in_thread(services.leave, room.pk, bob)
        return await hold(room_id)

    left = []
    monkeypatch.setattr(hub, "hold", slow_hold)
    async with socket(bob) as leaver, socket(alice) as other:
        await leaver.send("subscribe", room=room.pk)
        await other.say(room, "only for members")
        await other.subscribe(room)
        await other.say(room, "only for members, again")
        await asyncio.sleep(0.3)
        assert left == [True]
        frames = []
        while (one := await _now(leaver)) is not None:
            frames.append(one)
        assert not [one for one in frames if one.get("body", "").startswith("only")], frames


async def _now(client):
    try:
        async with asyncio.timeout(0.2):
            return await client.frame()
    except TimeoutError:
        return None


async def test_who_left_hears_no_more_activity_of_the_room(room, alice, bob, monkeypatch):
    monkeypatch.setattr("messaging.live.activity.TOGETHER_SECONDS", 0.05)
    async with socket(bob) as watcher, socket(alice) as other:
        await watcher.send("watch", rooms=[room.pk])
        await watcher.next("watching")
        await in_thread(services.leave, room.pk, bob)
        await asyncio.sleep(0.5)
        while await _seen(watcher):
            pass
        await other.say(room, "he is gone")
        await asyncio.sleep(0.5)
        assert await _seen(watcher) is None


async def _seen(client):
    """An activity frame that has come; None if there is none."""
    await client.send("ping")
    got = await client.next("activity", "pong")
    if got["type"] == "pong":
        return None
    await client.next("pong")
    return got


async def test_a_room_that_is_held_again_at_once_stays_in_its_group(room):
    """The feed's last listener went; in the moment it is closed somebody comes."""
    hub = node.current().hub
    await hub.hold(room.pk)
    hub.let_go(room.pk)
    hub._lingering[room.pk].cancel()
    hub._close(room.pk)
    await hub.hold(room.pk)
    await asyncio.sleep(0.3)
    assert room.pk in hub.broker._wanted  # otherwise: typing and presence of others are never heard


async def test_who_gives_up_before_the_room_is_heard_leaves_no_feed(room, monkeypatch):
    """As one does who asks at the original's door for a room without a seat, and goes."""
    monkeypatch.setattr("messaging.live.hub.LINGER_SECONDS", 0)
    hub = node.current().hub
    monkeypatch.setattr(hub.broker, "join", lambda room_id: asyncio.Event().wait())
    holding = asyncio.create_task(hub.hold(room.pk))
    await until(lambda: room.pk in hub.feeds)
    holding.cancel()
    await until(lambda: room.pk not in hub.feeds)


async def test_who_watches_while_another_stops_watching_is_told(room, alice, bob, monkeypatch):
    """A reload of the lobby: the new socket watches while the old one goes."""
    monkeypatch.setattr("messaging.live.activity.TOGETHER_SECONDS", 0.05)
    second = await in_thread(lambda: services.open_room(alice, title="Second"))
    hub = node.current().hub
    async with socket(alice) as old, socket(alice) as new, socket(bob) as other:
        await old.send("watch", rooms=[room.pk])
        await old.next("watching")
        hold = hub.hold

        async def old_goes_meanwhile(room_id):
            if room_id == second.pk:
                await old.send("watch", rooms=[])
                await old.next("watching")
            return await hold(room_id)

        monkeypatch.setattr(hub, "hold", old_goes_meanwhile)
        await new.send("watch", rooms=[room.pk, second.pk])
        await new.next("watching")
        await other.say(room, "hello")
        await asyncio.sleep(0.3)
        assert await _seen(new)


async def test_a_watch_that_fails_leaves_nothing_behind(room, alice, monkeypatch):
    monkeypatch.setattr("messaging.live.hub.LINGER_SECONDS", 0.05)
    second = await in_thread(lambda: services.open_room(alice, title="Second"))
    hub = node.current().hub
    hold = hub.hold

    async def second_fails(room_id):
        if room_id == second.pk:
            raise Unavailable
        return await hold(room_id)

    monkeypatch.setattr(hub, "hold", second_fails)
    async with socket(alice) as client:
        await client.send("watch", rooms=[room.pk, second.pk])
        assert (await client.next("nack"))["code"] == "unavailable"
    await asyncio.sleep(0.3)
    assert not hub._activities and not hub.feeds


async def test_a_snapshot_of_presence_is_not_shown_to_who_has_unsubscribed(room, bob, monkeypatch):
    presence = node.current().presence
    snapshot = presence.snapshot

    async def slow(room_id):
        await asyncio.sleep(0.3)
        return await snapshot(room_id)

    monkeypatch.setattr(presence, "snapshot", slow)
    async with socket(bob) as client:
        await client.subscribe(room)
        await client.send("unsubscribe", room=room.pk)
        await client.next("unsubscribed")
        await asyncio.sleep(0.6)
        await client.send("ping")
        assert (await client.next("presence", "pong"))["type"] == "pong"


async def test_a_resend_of_a_stored_message_by_who_left_since_is_acknowledged(room, bob):
    """The ack was lost, then the sender left by another door: it *was* stored."""
    cid = uuid4()
    first = await services.apost(room.pk, person(bob), "bye", cid)
    await in_thread(services.leave, room.pk, bob)
    again = await services.apost(room.pk, person(bob), "bye", cid)
    assert (again.seq, again.repeated) == (first.seq, True)


async def test_a_twin_of_a_cancelled_send_is_answered(room, bob):
    """A caller that gives up waiting (an HTTP client that went) cancels its future."""
    cid = uuid4()
    writer = node.current().writer
    first = writer.put(Draft(room.pk, person(bob), cid, "hi"))
    second = writer.put(Draft(room.pk, person(bob), cid, "hi"))
    first.cancel()
    assert (await asyncio.wait_for(second, 3)).seq


async def test_one_listener_that_stumbles_costs_the_others_nothing(room, bob):
    hub = node.current().hub
    feed = await hub.hold(room.pk)

    class Bad:
        def take(self, line):
            raise ValueError("stumbled")

    got = []

    class Good:
        def take(self, lines):
            got.append(lines.last)

    for each in (bad := Bad(), good := Good()):
        feed.listeners.add(each)
    receipt = await services.apost(room.pk, person(bob), "hi")
    await asyncio.sleep(0.2)
    for each in (bad, good):
        feed.listeners.discard(each)
    assert got == [receipt.seq]


async def test_one_room_whose_row_is_locked_does_not_hold_up_the_others(room, alice, bob):
    """As when a process is stopped amid a join: its transaction holds the room's row."""
    second = await in_thread(lambda: services.open_room(alice, title="Second"))
    url = {
        k: v
        for k, v in connection.get_connection_params().items()
        if k in ("dbname", "user", "password", "host", "port")
    }
    holder = await psycopg.AsyncConnection.connect(**url)
    try:
        await holder.execute("SELECT 1 FROM rooms_room WHERE id = %s FOR UPDATE", [room.pk])
        stuck = services.apost(room.pk, person(alice), "stuck")
        await asyncio.sleep(0.1)
        started = asyncio.get_running_loop().time()
        free = services.apost(second.pk, person(alice), "free")
        try:
            await asyncio.wait_for(free, 5)
        except Exception as error:
            pytest.fail(
                f"the other room got {error!r} after "
                f"{asyncio.get_running_loop().time() - started:.1f} s"
            )
        assert asyncio.get_running_loop().time() - started < 1.5
    finally:
        await holder.close()
        await asyncio.gather(stuck, return_exceptions=True)


async def test_a_room_that_is_joined_while_it_is_being_dropped_is_heard(room, monkeypatch):
    layer = node.current().hub.broker
    await layer.join(room.pk)
    discard, under_way, go = layer._layer.group_discard, asyncio.Event(), asyncio.Event()

    async def slow_discard(*args):
        under_way.set()
        await go.wait()
        await discard(*args)

    monkeypatch.setattr(layer._layer, "group_discard", slow_discard, raising=False)
    layer.drop(room.pk)
    dropping = asyncio.create_task(layer.catch_up())
    await under_way.wait()
    joining = asyncio.create_task(layer.join(room.pk))
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(dropping, joining)
    assert room.pk in layer._joined
