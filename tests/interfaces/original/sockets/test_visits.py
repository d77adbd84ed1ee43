"""A page of the original's that nobody looks at any more: it does not say so."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from redis.exceptions import ConnectionError as NoConnection

from interfaces.original.chat import PageChat
from messaging import services
from messaging.live import node
from messaging.log import member_state
from tests.interfaces.original.sockets.client import Browser, original
from tests.interfaces.stomp.client import called, stomp
from tests.messaging.conftest import person

say = sync_to_async(services.post)


async def visit(browser, room, chat, *others):
    """As its page comes in: GET read, then both sockets."""
    missed = await browser.read(room)
    await chat.enters(room)
    for other in others:
        await other.watches(room)
    await chat.deed("enter", room)
    return missed


async def read_to(room, user, seq):
    """Wait until the read position is there: it moves beside what is asked."""
    async with asyncio.timeout(10):
        while (await sync_to_async(member_state)(room.pk, user.pk)).read_seq != seq:
            await asyncio.sleep(0.02)


@pytest.fixture
async def no_grace_ends():
    """Presence waits for them without end: only who says so is away."""
    node.current().presence.state.local._grace = 1_000.0


async def test_after_back_nobody_has_read_what_comes_and_the_person_is_away(room, alice, bob):
    browser = await Browser.of(bob)
    async with (
        original(alice, "participant") as watching,
        browser.socket() as chat,
        browser.socket("participant") as list_socket,
    ):
        await watching.watches(room)
        await visit(browser, room, chat, list_socket)
        await watching.shows({alice.email: True, called(bob): True})
        seen = await say(room.pk, person(alice), "seen")
        await chat.said("sub-0")
        await browser.list()  # Back: the sockets stay open
        await watching.shows({alice.email: True, called(bob): False})
        await read_to(room, bob, seen.seq)
        await say(room.pk, person(alice), "nobody sees it")
        assert (await chat.said("sub-0"))["message"] == "nobody sees it"
        await chat.send("UNSUBSCRIBE", id="none", receipt="alive")  # as a heart-beat: it is there
        await chat.next("RECEIPT")
    assert await browser.read(room) == ["nobody sees it"]


@pytest.mark.parametrize("first", ["put", "list"])
async def test_what_comes_between_that_and_the_end_of_the_socket_was_not_seen(
    room, alice, bob, first
):
    browser = await Browser.of(bob)
    async with browser.socket() as chat:
        await visit(browser, room, chat)
        await say(room.pk, person(alice), "seen")
        await chat.said("sub-0")
        await (browser.put(room) if first == "put" else browser.list())
        await say(room.pk, person(alice), "between")
        await chat.said("sub-0")
        await chat.disconnects()
    await (browser.list() if first == "put" else browser.put(room))
    assert await browser.read(room) == ["between"]


async def test_what_the_layer_did_not_tell_is_found_when_the_socket_ends(
    room, alice, bob, monkeypatch
):
    monkeypatch.setattr("interfaces.original.visits._tell", lambda *away: None)
    browser = await Browser.of(bob)
    async with browser.socket() as chat:
        await visit(browser, room, chat)
        await browser.put(room)
        await say(room.pk, person(alice), "between")
        await chat.said("sub-0")
    assert await browser.read(room) == ["between"]


async def test_what_was_seen_stays_so_where_a_page_that_was_left_ends_without_a_word(
    room, alice, bob, monkeypatch
):
    """The layer told nothing, and the socket is cut: only its end finds that it was left."""
    monkeypatch.setattr("interfaces.original.visits._tell", lambda *away: None)
    browser = await Browser.of(bob)
    async with browser.socket() as chat:
        await visit(browser, room, chat)
        await say(room.pk, person(alice), "seen")
        await chat.said("sub-0")
        await browser.list()
        await say(room.pk, person(alice), "nobody sees it")
        await chat.said("sub-0")
        await chat.close(1006)
    assert await browser.read(room) == ["nobody sees it"]


async def test_what_comes_after_its_goodbye_was_not_seen(room, alice, bob, monkeypatch):
    """While the end of its socket is written down, lines still come for it."""
    put_down = PageChat._say_gone

    async def late(chat):
        event = await say(room.pk, person(alice), "nobody is shown it")
        async with asyncio.timeout(10):
            while chat.subscriptions[room.pk].seen < event.seq:
                await asyncio.sleep(0.01)
        await put_down(chat)

    browser = await Browser.of(bob)
    monkeypatch.setattr(PageChat, "_say_gone", late)
    async with browser.socket() as chat:
        await visit(browser, room, chat)
        await say(room.pk, person(alice), "seen")
        await chat.said("sub-0")
        await chat.disconnects(20)
    await browser.put(room)
    await browser.list()
    assert await browser.read(room) == ["nobody is shown it"]


async def test_of_one_visit_the_first_put_counts_and_a_new_visit_has_its_own(room, alice, bob):
    browser = await Browser.of(bob)
    await browser.read(room)
    await browser.put(room)
    await say(room.pk, person(alice), "missed")
    await browser.put(room)
    assert await browser.read(room) == ["missed"]
    await browser.put(room)
    assert await browser.read(room) == []


async def test_nobody_misses_what_they_said_themselves(room, alice, bob):
    browser = await Browser.of(bob)
    async with browser.socket() as chat:
        await visit(browser, room, chat)
        await chat.deed("message", room, "mine, and gone")
        await chat.said("sub-0")
    await browser.put(room)
    await say(room.pk, person(bob), "mine, by another door")
    await say(room.pk, person(alice), "hers")
    assert await browser.read(room) == ["hers"]
    async with browser.socket() as chat:
        await chat.enters(room)
        await chat.deed("message", room, "mine, now")
        assert (await chat.said("sub-0"))["message"] == "mine, now"
    await say(room.pk, person(bob), "mine, while away")
    await say(room.pk, person(alice), "hers, too")
    async with original(bob) as chat:  # SUBSCRIBE brings it, without a GET read before
        await chat.enters(room)
        assert (await chat.said("sub-0"))["message"] == "hers, too"
        await chat.deed("message", room, "mine, again")
        assert (await chat.said("sub-0"))["message"] == "mine, again"


@pytest.mark.parametrize("order", ["socket first", "put first"])
async def test_put_read_is_seen_at_once(room, alice, bob, order, no_grace_ends):
    browser = await Browser.of(bob)
    async with original(alice, "participant") as watching:
        await watching.watches(room)
        async with browser.socket() as chat:
            await visit(browser, room, chat)
            await watching.shows({alice.email: True, called(bob): True})
            if order == "put first":
                await browser.put(room)
                await watching.shows({alice.email: True, called(bob): False})
        if order == "socket first":
            assert await watching.silent()
            await browser.put(room)
            await watching.shows({alice.email: True, called(bob): False})


async def test_another_browser_of_the_same_person_is_looked_at(room, alice, bob):
    desk, phone = await Browser.of(bob), await Browser.of(bob)
    async with original(alice, "participant") as watching, phone.socket() as chat:
        await watching.watches(room)
        await visit(phone, room, chat)
        await watching.shows({alice.email: True, called(bob): True})
        await desk.list()
        await desk.read(room)
        await desk.put(room)
        seen = await say(room.pk, person(alice), "on the phone")
        await chat.said("sub-0")
        assert await watching.silent(), "bob is here all the time"
    await read_to(room, bob, seen.seq)


async def test_a_visit_after_back_is_looked_at(room, alice, bob):
    browser = await Browser.of(bob)
    async with original(alice, "participant") as watching, browser.socket() as before:
        await watching.watches(room)
        await visit(browser, room, before)
        await browser.list()
        await watching.shows({alice.email: True, called(bob): False})
        await browser.read(room)
    async with original(alice, "participant") as watching, browser.socket() as after:
        await watching.watches(room)
        await after.enters(room)
        await watching.shows({alice.email: True, called(bob): True})
        seen = await say(room.pk, person(alice), "seen")
        await after.said("sub-0")
    await read_to(room, bob, seen.seq)


async def test_who_goes_back_before_the_sockets_open_is_not_here(room, alice, bob):
    browser = await Browser.of(bob)
    await browser.read(room)
    await browser.list()
    async with original(alice, "participant") as watching:
        await watching.watches(room)
        await watching.shows({alice.email: True, called(bob): False})
        async with browser.socket() as chat, browser.socket("participant") as list_socket:
            await chat.enters(room)
            await list_socket.watches(room)
            await list_socket.line("sub-0")
            await say(room.pk, person(alice), "nobody sees it")
            await chat.said("sub-0")
            assert await watching.silent()
    assert await browser.read(room) == ["nobody sees it"]


async def test_who_speaks_is_looking(room, alice, bob):
    """Another tab of the browser asked for the list: nothing tells the two apart but this."""
    browser = await Browser.of(bob)
    async with original(alice, "participant") as watching, browser.socket() as chat:
        await watching.watches(room)
        await visit(browser, room, chat)
        await browser.list()
        await watching.shows({alice.email: True, called(bob): False})
        await say(room.pk, person(alice), "seen after all")
        await chat.said("sub-0")
        await chat.deed("message", room, "I am here")
        await watching.shows({alice.email: True, called(bob): True})
        assert (await chat.said("sub-0"))["message"] == "I am here"
    assert await browser.read(room) == []


@pytest.mark.parametrize("asked", ["part of the list", "by a link", "by a program"])
async def test_what_its_page_does_not_ask_tells_nothing(room, alice, bob, asked):
    browser = await Browser.of(bob)
    async with original(alice, "participant") as watching, browser.socket() as chat:
        await watching.watches(room)
        await visit(browser, room, chat)
        await watching.shows({alice.email: True, called(bob): True})
        if asked == "part of the list":
            await browser.list("?page=1")
        elif asked == "by a link":
            await browser.list(**{"Sec-Fetch-Mode": "navigate", "Referer": "http://localhost/"})
        else:
            await browser.list(Accept="*/*")
        assert await watching.silent()


async def test_todays_doors_are_as_they_were(room, alice, bob):
    """By the same sign-in: a client of today says itself what it has read, and when it goes."""
    browser = await Browser.of(bob)
    async with original(alice, "participant") as watching:
        await watching.watches(room)
        async with stomp(bob, access=browser.access) as client:
            await client.subscribe(f"/sub/chat/{room.pk}")
            await watching.shows({alice.email: True, called(bob): True})
            await browser.read(room)
            await browser.list()
            await browser.put(room)
            await say(room.pk, person(alice), "unread until it says so")
            await client.said()
            assert await watching.silent()
    assert await browser.read(room) == ["unread until it says so"]


async def test_without_redis_it_goes_on_and_this_process_knows(room, alice, bob, monkeypatch):
    def down(_name):
        raise NoConnection("away")

    monkeypatch.setattr("interfaces.original.notes.get_redis_connection", down)
    browser = await Browser.of(bob)
    async with browser.socket() as chat:
        await visit(browser, room, chat)
        seen = await say(room.pk, person(alice), "seen")
        await chat.said("sub-0")
        await browser.list()
        await read_to(room, bob, seen.seq)
        await say(room.pk, person(alice), "nobody sees it")
        await chat.said("sub-0")
    await browser.put(room)
    assert await browser.read(room) == ["nobody sees it"]
