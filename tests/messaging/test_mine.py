"""What all sockets of one person are told, and what all who have a room open are told of it."""

import asyncio

from asgiref.sync import sync_to_async

from core.postgresql.breaker import breaker
from messaging import log, services
from messaging.live import node, personal
from messaging.live.personal import Mine, News
from tests.interfaces.socket.client import socket
from tests.raw_socket import frame, say, subscribe, tell
from tests.stack import open_room


async def test_what_i_read_on_one_device_my_others_are_told_and_nobody_else(room, alice, bob):
    async with socket(bob) as phone, socket(bob) as desk, socket(alice) as other:
        for client in (phone, desk, other):
            await client.subscribe(room)
        await phone.send("read", room=room.pk, seq=2)
        assert await desk.next("read") == {"type": "read", "room": room.pk, "seq": 2}
        for client in (phone, other):  # who said so knows it
            assert await client.silent()
            assert "read" not in [frame["type"] for frame in client.passed_over]


async def test_by_rest_too_and_without_a_subscription(room, alice, bob):
    async with socket(bob) as client:
        position = await sync_to_async(services.mark_read)(room.pk, bob.pk, 99)
        assert (await client.next("read"))["seq"] == position == 2


async def test_a_seat_that_is_taken_or_given_back_anywhere_is_told(room, charlie):
    async with socket(charlie) as client:
        await sync_to_async(services.join)(room.pk, charlie)
        assert await client.next("seat") == {"type": "seat", "room": room.pk, "taken": True}
        await sync_to_async(services.leave)(room.pk, charlie)
        assert (await client.next("seat"))["taken"] is False


async def test_subscribed_says_what_the_room_is(room, alice, bob):
    async with socket(bob) as client:
        about = (await client.subscribe(room))["about"]
    assert about == {
        "title": "Tea",
        "description": "",
        "capacity": 10,
        "owner": alice.pk,
        "closed": False,
        "personnel": 2,
        "first": 1,
    }


async def test_a_change_of_the_room_reaches_its_pages_and_those_that_list_it(room, alice, bob):
    async with socket(bob) as page, socket(alice) as lobby:
        await page.subscribe(room)
        await lobby.send("watch", rooms=[room.pk])
        await lobby.next("watching")
        await sync_to_async(services.edit_room)(room.pk, alice, title="Coffee", capacity=3)
        for client in (page, lobby):
            about = (await client.next("about"))["about"]
            assert (about["title"], about["capacity"]) == ("Coffee", 3)
        await sync_to_async(services.transfer_room)(room.pk, bob.pk, alice)
        assert (await page.next("about"))["about"]["owner"] == bob.pk
        await sync_to_async(services.close_room)(room.pk, bob)
        assert (await lobby.next("about"))["about"]["owner"] == bob.pk
        assert (await lobby.next("about"))["about"]["closed"] is True


async def test_a_change_that_is_told_as_a_look_ends_is_looked_at_too(room, alice):
    here, shown = node.current(), []

    def put(packet):
        shown.append(packet)
        if len(shown) == 1:  # heard right after this step of the look, which is its last
            here.loop.call_soon(here.abouts.look, room.pk)

    await here.hub.watch(log.Head(room.pk, 2, 2), alice.pk, put)
    here.abouts.look(room.pk)
    async with asyncio.timeout(5):
        while len(shown) < 2:
            await asyncio.sleep(0.01)


async def test_a_change_is_shown_once_the_database_is_back(room, alice, monkeypatch):
    monkeypatch.setattr("messaging.live.about.AGAIN_SECONDS", 0.05)
    here, shown = node.current(), []
    await here.hub.watch(log.Head(room.pk, 2, 2), alice.pk, shown.append)
    breaker.failed("as if")
    here.abouts.look(room.pk)
    await asyncio.sleep(0.2)
    assert breaker.is_down and shown == []  # it is asked again after 0.5 s
    async with asyncio.timeout(5):
        while not shown:
            await asyncio.sleep(0.01)


async def test_first_is_the_oldest_line_that_is_kept(room, bob):
    from messaging.models import Event

    async with socket(bob) as client:
        await client.say(room, "three")
        await Event.objects.filter(room_id=room.pk, seq__lte=2).adelete()
        assert (await client.subscribe(room))["about"]["first"] == 3
        await Event.objects.filter(room_id=room.pk).adelete()
        assert (await client.subscribe(room))["about"]["first"] == 4


async def test_activity_says_of_which_lines_it_tells(room, alice, bob):
    async with socket(alice) as one, socket(bob) as two:
        await two.send("watch", rooms=[room.pk])
        head = (await two.next("watching"))["rooms"][0]["head"]
        for text in ("one", "two"):
            await one.say(room, text)
        after = head
        while after < head + 2:  # one frame or two: the beats of the clock are nobody's
            activity = await two.next("activity")
            assert activity["after"] == after
            assert sum(activity["messages"].values()) == activity["head"] - after
            after = activity["head"]


async def test_news_cross_processes(stack):
    alice, bob = stack.people("alice", "bob")
    room = await stack.arun(open_room, alice, bob)
    async with stack.socket(0, bob) as phone, stack.socket(1, bob) as desk:
        head = (await subscribe(phone, room))["head"]
        assert (await say(phone, room, "to myself"))["type"] == "ack"
        await tell(phone, "read", room=room, seq=head + 1)
        assert (await frame(desk, "read"))["seq"] == head + 1
        await tell(desk, "subscribe", room=room)
        await frame(desk, "subscribed")
        await stack.arun(_rename, room, "Other tea")
        for ws in (phone, desk):
            assert (await frame(ws, "about"))["about"]["title"] == "Other tea"


def _rename(room_id, title):
    from rooms.models import Room

    room = Room.objects.select_related("owner").get(pk=room_id)
    services.edit_room(room_id, room.owner, title=title)


class Listener:
    def __init__(self):
        self.got = []

    def put(self, packet):
        self.got.append(packet.text)


async def test_a_crowd_that_reads_is_few_messages_and_of_each_room_the_newest(monkeypatch):
    monkeypatch.setattr(personal, "GATHER_SECONDS", 0.01)
    told, desk = [], Listener()
    here = Mine(told.append)
    here.come(1, desk)
    for seq in (3, 9, 5):
        for user in range(1, 2_001):
            here.read(user, 7, seq)
    await asyncio.sleep(0.1)
    assert [len(message["news"]) for message in told] == [1_000, 1_000]
    assert desk.got == ['{"type":"read","room":7,"seq":9}']


async def test_what_waits_is_bounded():
    told = []
    here = Mine(told.append)
    here.put([News("read", user, 7, 1) for user in range(personal.WAITING_MAX + 1)])
    assert sum(len(message["news"]) for message in told) == personal.WAITING_MAX + 1
