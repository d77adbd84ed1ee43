"""A person whose browser is signed in: the client of Python goes on with its cookie."""

import asyncio

import pytest
from chattalk_client import ChatTalk, Message, SignedOut
from chattalk_client.cookie import CookieSession
from chattalk_client.rest import Rest
from chattalk_client.site import Site
from django.conf import settings

from tests.stack import open_room, post


async def test_a_browsers_cookie_opens_rooms_and_sockets(stack):
    alice, bob = await stack.apeople("alice", "bob")
    async with (
        stack.chat(0, alice) as hers,
        stack.chat(1, bob) as his,
    ):
        assert hers.me.id == alice.id
        card = await hers.open("Tea")
        await his.join(card.id)
        room, other = await hers.enter(card.id), await his.enter(card.id)
        await room.send("hello")
        event = await anext(other.events())
        assert isinstance(event, Message) and event.body == "hello"


async def test_who_only_talks_asks_nothing_by_http(stack):
    """A pool of connections reads all certificates when it is made: 60 ms for each client."""
    (alice,) = await stack.apeople("alice")
    room_id = await stack.arun(open_room, alice)
    async with stack.chat(0, alice) as chat:
        await (await chat.enter(room_id)).send("hello")
        assert "_http" not in vars(chat._rest)


async def test_a_cookie_that_ends_ends_the_client(stack):
    (alice,) = await stack.apeople("alice")
    async with stack.chat(0, alice) as chat:
        room = await chat.enter((await chat.open("Tea")).id)
        sign_out = f"{stack.urls[1]}/accounts/sign-out/"
        assert await asyncio.to_thread(post, sign_out, alice) == 200
        with pytest.raises(SignedOut):
            async for _event in room.events():
                pass
        with pytest.raises(SignedOut):
            await chat.call("GET", "me/")


async def test_what_is_asked_at_the_next_address_comes_from_a_page_of_that_one(stack):
    (alice,) = await stack.apeople("alice")
    rest = Rest(Site(["http://127.0.0.1:1", stack.urls[0]]))
    room = await CookieSession(rest, alice.cookie).call("POST", "rooms/", {"title": "Tea"})
    assert room["title"] == "Tea"
    await rest.close()


async def test_a_cookie_that_never_counted_is_told_at_once(stack):
    with pytest.raises(SignedOut):
        async with ChatTalk(stack.urls[0], cookie=f"{settings.SESSION_COOKIE_NAME}=nobody"):
            pass


@pytest.mark.parametrize("cookie", ["", "sessionid", "sessionid=a; other=b", "sessionid=a\r\nb"])
def test_what_is_no_cookie_is_refused_without_being_told(cookie):
    with pytest.raises(ValueError) as refused:
        ChatTalk("http://127.0.0.1:1", cookie=cookie)
    assert str(refused.value) == "not a cookie"
