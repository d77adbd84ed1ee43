"""The original's client, in the orders that were measured, and none of the original's faults."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from chattalk.asgi import application
from interfaces.original.chat import PageChat
from messaging import services
from messaging.live import node
from rooms.models import Membership, Room
from tests import gone_back
from tests.interfaces.original.sockets.client import Browser, SockJS, cookie, original
from tests.interfaces.stomp.client import PAGE, called, opened, token
from tests.messaging.conftest import person


def communicator(path, origin, access):
    return WebsocketCommunicator(application, path, [PAGE[0], (b"origin", origin), cookie(access)])


async def say(room, user, body):
    await sync_to_async(services.post)(room.pk, person(user), body)


async def seats(room):
    return (await Room.objects.aget(pk=room.pk)).personnel


async def test_a_newcomer_subscribes_enters_and_talks(room, alice, bob, charlie):
    async with original(charlie) as chat, original(charlie, "participant") as list_socket:
        assert await (await Browser.of(charlie)).read(room) == []  # fault 1
        await list_socket.watches(room)
        await chat.enters(room)
        entered = await chat.line("sub-0")
        assert (entered["type"], entered["username"]) == ("ENTER", charlie.email)
        await chat.deed("message", room, "hello")
        said = await chat.line("sub-0")
        assert (said["type"], said["username"], said["message"]) == (
            "MESSAGE",
            charlie.email,
            "hello",
        )
        await list_socket.shows({called(alice): False, called(bob): False, charlie.email: True})
        assert await seats(room) == 3


async def test_a_seat_taken_while_it_is_looked_for_hides_no_line(room, charlie, monkeypatch):
    told_before = PageChat._told_before

    async def slowly(chat):
        after = await told_before(chat)
        if after is None:  # no seat yet, and now it is taken before anything is done about that
            await sync_to_async(services.join)(room.pk, charlie)
        return after

    monkeypatch.setattr(PageChat, "_told_before", slowly)
    async with original(charlie) as chat:
        await chat.send("SUBSCRIBE", id="sub-0", destination=f"/sub/chat/{room.pk}")
        entered = await chat.line("sub-0")
        assert (entered["type"], entered["username"]) == ("ENTER", charlie.email)


async def test_nobody_hears_a_room_before_they_have_entered(room, alice, charlie):  # fault 4
    async with original(charlie) as chat, original(charlie, "participant") as list_socket:
        await chat.send("SUBSCRIBE", id="sub-0", destination=f"/sub/chat/{room.pk}")
        await list_socket.watches(room)
        await sync_to_async(services.post)(room.pk, person(alice), "only for members")
        assert await chat.silent() and await list_socket.silent()
        await chat.deed("message", room, "may I?")
        refusal = await chat.line("sub-0")
        assert refusal["username"] == "ChatTalk" and "member" in refusal["message"]
        assert await seats(room) == 2


async def test_who_finds_the_room_full_is_told_inside_it_and_hears_nothing(room, alice, charlie):
    await Room.objects.filter(pk=room.pk).aupdate(capacity=2)
    async with original(charlie) as chat:
        await chat.enters(room)
        refusal = await chat.line("sub-0")
        assert refusal["type"] == "MESSAGE" and refusal["username"] == "ChatTalk"
        assert "full" in refusal["message"]
        await sync_to_async(services.post)(room.pk, person(alice), "only for members")
        assert await chat.silent()


async def test_a_seat_that_comes_too_late_is_told(room, charlie, monkeypatch):
    monkeypatch.setattr("interfaces.original.subscriptions.SEAT_SECONDS", 0.2)
    async with original(charlie) as chat:
        await chat.send("SUBSCRIBE", id="sub-0", destination=f"/sub/chat/{room.pk}")
        assert "member" in (await chat.line("sub-0"))["message"]


async def test_two_tabs_that_enter_at_once_take_one_seat(room, charlie):  # fault 6
    async with original(charlie) as one, original(charlie) as two:
        await asyncio.gather(one.enters(room), two.enters(room))
        assert (await one.line("sub-0"))["type"] == "ENTER"
        assert (await two.line("sub-0"))["type"] == "ENTER"
        assert await seats(room) == 3
        for _ in range(3):
            await one.deed("leave", room)
        assert (await two.line("sub-0"))["type"] == "LEAVE"
        await one.send("UNSUBSCRIBE", id="none", receipt="left")
        await one.next("RECEIPT", **{"receipt-id": "left"})
        assert await seats(room) == 2
        assert not await Membership.objects.filter(room=room, user=charlie).aexists()


async def test_entering_again_is_presence_only(room, alice, bob):
    async with original(alice) as other, original(bob) as chat:
        await other.enters(room)
        await chat.enters(room)
        await chat.deed("enter", room)
        await chat.deed("message", room, "here again")
        assert (await other.said("sub-0"))["message"] == "here again"
        assert await seats(room) == 2


async def test_what_is_said_between_the_answer_and_the_subscription_is_shown_once(  # fault 11
    room, alice, bob
):
    browser = await Browser.of(bob)
    async with browser.socket() as chat:
        say = sync_to_async(services.post)
        await say(room.pk, person(alice), "while you were away")
        missed = await browser.read(room)
        await say(room.pk, person(alice), "in between")
        await chat.enters(room)
        await say(room.pk, person(alice), "live")
        shown = [one["message"] for one in await chat.lines(2, "sub-0")]
        assert missed[-1:] == ["while you were away"]
        assert shown == ["in between", "live"]
        assert await chat.silent()


async def test_what_was_shown_is_not_missed_and_what_came_after_is(room, alice, bob):  # fault 2
    say = sync_to_async(services.post)
    browser = await Browser.of(bob)
    await browser.read(room)
    async with browser.socket() as chat:
        await chat.enters(room)
        await say(room.pk, person(alice), "shown")
        await chat.line("sub-0")
        await chat.disconnects()
    await say(room.pk, person(alice), "missed 1")
    await say(room.pk, person(alice), "missed 2")
    for _ in range(2):  # asking moves nothing
        assert await browser.read(room) == ["missed 1", "missed 2"]


async def test_presence_follows_connections_and_the_list_is_shown_at_once(room, alice, bob):
    # faults 5 and 10
    async with original(alice, "participant") as watching:
        await watching.watches(room)
        await watching.shows({alice.email: True, called(bob): False})
        async with original(bob) as chat, original(bob) as other_tab:
            await chat.enters(room)
            await other_tab.enters(room)
            await watching.shows({alice.email: True, called(bob): True})
            await chat.close(1006)
            assert await watching.silent()
        await watching.shows({alice.email: True, called(bob): False})


async def test_who_leaves_is_out_of_the_list(room, alice, bob):
    async with original(alice, "participant") as watching, original(bob) as chat:
        await watching.watches(room)
        await chat.enters(room)
        await chat.deed("leave", room)
        await watching.shows({alice.email: True})


@pytest.mark.parametrize("order", ["cpr", "crp", "pcr", "prc", "rcp", "rpc"])
async def test_going_to_the_list_in_any_order_is_going_away_once(room, alice, bob, order):
    say = sync_to_async(services.post)
    browser = await Browser.of(bob)
    await browser.read(room)
    async with browser.socket() as chat, browser.socket("participant") as list_socket:
        await chat.enters(room)
        await list_socket.watches(room)
        await list_socket.shows({called(alice): False, bob.email: True})
        await say(room.pk, person(alice), "shown")
        await chat.line("sub-0")
        for step in order:
            if step == "r":
                await browser.put(room)
            else:
                await {"c": chat, "p": list_socket}[step].close()
        chat.closed = list_socket.closed = 1000
    await say(room.pk, person(alice), "missed")
    assert await browser.read(room) == ["missed"]
    async with browser.socket() as chat:
        await chat.enters(room)
        await say(room.pk, person(alice), "live")
        assert (await chat.line("sub-0"))["message"] == "live"


@pytest.mark.parametrize("chat_id", ["", "0", "-1", "x", "9" * 30, "1 OR 1"])
async def test_a_room_that_is_none_is_refused_without_falling_over(bob, room, chat_id):
    async with original(bob) as chat, original(bob, "participant") as list_socket:
        await chat.send("SUBSCRIBE", id="sub-0", destination=f"/sub/chat/{chat_id}")
        assert (await chat.line("sub-0"))["username"] == "ChatTalk"
        await chat.deed("enter", chat_id)
        await chat.deed("message", chat_id, "hello?")
        assert [one["username"] for one in await chat.lines(2, "sub-0")] == ["ChatTalk"] * 2
        await list_socket.watches(chat_id)
        assert await list_socket.line("sub-0") == []
        await chat.enters(room, "sub-1")
        await chat.deed("message", room, "still here")
        assert (await chat.said("sub-1"))["message"] == "still here"


async def test_a_message_over_the_limit_is_refused_clearly_and_255_is_none(room, bob):  # fault 8
    async with original(bob) as chat:
        await chat.enters(room)
        await chat.deed("message", room, "안" * 4000)
        assert (await chat.said("sub-0"))["message"] == "안" * 4000
        await chat.deed("message", room, "x" * 4001)
        refusal = await chat.line("sub-0")
        assert refusal["username"] == "ChatTalk" and "4000" in refusal["message"]


async def test_a_frame_in_pieces_is_put_together_even_inside_a_character(room, bob):
    async with original(bob) as chat:
        await chat.enters(room)
        body = json.dumps({"chatId": str(room.pk), "message": "a😀b"}, ensure_ascii=False)
        frame = f"SEND\ndestination:/send/chat/message\n\n{body}\0"
        cut = frame.encode("utf-16-le").index("😀".encode("utf-16-le")) // 2 + 1
        units = frame.encode("utf-16-le")
        for piece in (units[: 2 * cut], units[2 * cut :]):
            await chat.text(piece.decode("utf-16-le", "surrogatepass"))
        assert (await chat.said("sub-0"))["message"] == "a😀b"


async def test_a_cookie_that_is_glued_to_the_token_is_cut_off(room, bob):
    access = await sync_to_async(token)(bob)
    async with opened("/stomp/chat/000/abcdefgh/websocket", *PAGE, kind=SockJS) as chat:
        assert (await chat.connect(f"{access}; theme=dark")).command == "CONNECTED"


@pytest.mark.parametrize("access", ["", "x", "a.b.c"])
async def test_a_bad_token_is_refused_at_once(bob, access):  # fault 14
    async with opened("/stomp/chat/000/abcdefgh/websocket", *PAGE, kind=SockJS) as chat:
        async with asyncio.timeout(2):
            refusal = await chat.connect(access)
        assert (refusal.command, refusal.headers["code"]) == ("ERROR", "not_signed_in")
        assert await chat.end() == 4001


@pytest.mark.parametrize(
    "origin, is_open",
    [
        (b"http://localhost", True),
        (b"http://LOCALHOST:80", True),
        (b"http://localhost:3000", False),
        (b"https://localhost", False),
        (b"capacitor://localhost", False),
        (b"https://friend.example", True),
        (b"https://evil.example", False),
        (b"https://friend.example.evil.example", False),
        (b"null", False),
    ],
)
async def test_only_pages_of_ours_and_of_friends_open_the_participant_socket(
    bob, settings, origin, is_open
):
    settings.CORS_ALLOWED_ORIGINS = ["https://friend.example"]
    access = await sync_to_async(token)(bob)
    raw = SockJS(None)
    raw.raw = communicator("/stomp/participant/000/abcdefgh/websocket", origin, access)
    opened_, _ = await raw.raw.connect(timeout=5)
    assert opened_ is is_open
    if is_open:
        assert (await raw.connect(accept_version="1.1,1.0")).command == "CONNECTED"
        await raw.close()


async def test_without_an_origin_a_cookie_does_not_count(bob):
    access = await sync_to_async(token)(bob)
    path = "/stomp/participant/000/abcdefgh/websocket"
    async with opened(path, cookie(access), kind=SockJS) as client:
        assert (await client.connect()).headers["code"] == "not_signed_in"


async def test_signing_out_closes_the_sockets(room, bob):  # fault 14
    from accounts import devices

    async with original(bob) as chat, original(bob, "participant") as list_socket:
        await chat.enters(room)
        await sync_to_async(devices.revoke_all)(bob.pk)
        async with asyncio.timeout(4):
            for client in (chat, list_socket):
                assert await client.end() == 4001


async def test_a_page_is_shown_what_came_in_the_place_of_what_the_database_has_lost(
    room, alice, bob
):
    async with original(bob) as chat:
        await chat.enters(room)
        for body in ("kept", "lost", "lost, too"):
            await say(room, alice, body)
        assert [(await chat.said("sub-0"))["message"] for _ in range(3)][-1] == "lost, too"
        await sync_to_async(gone_back.lose)(room.pk, 2)
        await node.current().hub.look_at_heads()
        for body in ("new", "new, too", "newest"):
            await say(room, alice, body)
        told = [(await chat.said("sub-0"))["message"] for _ in range(3)]
        assert told == ["new", "new, too", "newest"]
