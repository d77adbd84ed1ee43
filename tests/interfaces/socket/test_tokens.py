"""Opening /ws/ without a browser's session: by access token, and by ticket."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.core.cache import caches
from django.test import RequestFactory

from accounts import devices, services, tickets, tokens
from chattalk.asgi import application
from core.redis.async_cache import AsyncCache
from interfaces.socket import authentication
from interfaces.socket.consumer import ChatConsumer
from messaging.live import node
from tests.interfaces.socket.client import Socket, hang_up, session_cookie

PASSWORD = "nine green bottles"
EVIL = (b"origin", b"https://evil.example")
pytestmark = pytest.mark.usefixtures("given_back")
SIGNED_OUT = {"type": "websocket.close", "code": 4001}


@pytest.fixture
def pair(alice):
    alice.set_password(PASSWORD)
    alice.save()
    return devices.sign_in(RequestFactory().post("/"), alice.email, PASSWORD)


@pytest.fixture
def ticket(pair):
    return tickets.issue(tokens.verify(pair.access))


@asynccontextmanager
async def opened(*subprotocols, headers=()):
    raw = WebsocketCommunicator(application, "/ws/", list(headers), ["chattalk", *subprotocols])
    connected, chosen = await raw.connect(timeout=5)
    assert (connected, chosen) == (True, "chattalk")
    yield raw
    await hang_up(raw)


async def refused(raw):
    return await raw.receive_output(timeout=5) == SIGNED_OUT


@pytest.mark.parametrize("headers", [(), (EVIL,), ((b"origin", b"null"),)])
async def test_a_token_opens_the_socket_from_anywhere(room, alice, pair, headers):
    async with opened(f"bearer.{pair.access}", headers=headers) as raw:
        client = Socket(raw)
        assert (await client.frame())["user"] == {"id": alice.pk, "name": "Alice"}
        assert (await client.say(room, "by token"))["type"] == "ack"


async def test_a_ticket_opens_one_socket(room, alice, ticket):
    async with opened(f"ticket.{ticket}") as raw:
        assert (await Socket(raw).frame())["user"]["id"] == alice.pk
        async with opened(f"ticket.{ticket}") as second:
            assert await refused(second)


@pytest.mark.parametrize("word", ["bearer.x", "bearer.", "ticket.", "ticket.x", "bearer.a.b.c"])
async def test_a_word_that_is_worth_nothing_is_closed_with_4001(db, word):
    async with opened(word) as raw:
        assert await refused(raw)


async def test_a_bad_token_beside_a_good_cookie_does_not_fall_back_to_it(alice):
    """A foreign page could add a word of its own; the cookie must not speak for it."""
    cookie = await sync_to_async(session_cookie)(alice)
    async with opened("bearer.x", headers=[cookie, EVIL]) as raw:
        assert await refused(raw)


async def test_a_refresh_token_opens_nothing(pair):
    async with opened(f"bearer.{pair.refresh}") as raw:
        assert await refused(raw)


async def test_a_foreign_page_with_our_words_and_no_proof_is_refused_before_it_opens(alice):
    cookie = await sync_to_async(session_cookie)(alice)
    raw = WebsocketCommunicator(application, "/ws/", [cookie, EVIL], ["chattalk"])
    connected, _ = await raw.connect()
    assert not connected


def end(how, user, pair):
    if how == "signed out":
        devices.revoke(user.pk, pair.device_id)
    elif how == "signed out everywhere":
        devices.revoke_all(user.pk)
    elif how == "another password":
        asked = RequestFactory().post("/")
        services.change_password(asked, user, current=PASSWORD, new="one more evening")
    else:
        user.is_active = False
        user.save()


@pytest.mark.parametrize(
    "how", ["signed out", "signed out everywhere", "another password", "deactivated"]
)
async def test_it_does_not_outlive_its_device(room, alice, pair, how, monkeypatch):
    monkeypatch.setattr("messaging.live.connections.CHECK_SECONDS", 0.1)
    async with opened(f"bearer.{pair.access}") as raw:
        assert (await Socket(raw).frame())["type"] == "hello"
        await sync_to_async(end)(how, alice, pair)
        assert await refused(raw)


async def test_it_outlives_its_token_while_the_device_is_signed_in(room, alice, pair, monkeypatch):
    """An access token opens the door; that its ten minutes are over closes nothing."""
    monkeypatch.setattr("messaging.live.connections.CHECK_SECONDS", 0.05)
    async with opened(f"bearer.{pair.access}") as raw:
        client = Socket(raw)
        await client.frame()
        await sync_to_async(devices.refresh)(RequestFactory().post("/"), pair.refresh)
        await node.current().connections.check_sign_ins()
        assert (await client.say(room, "still here"))["type"] == "ack"


async def test_one_socket_that_stumbles_does_not_keep_the_others_signed_in(
    room, alice, pair, monkeypatch, caplog
):
    def first_stumbles(socket):
        if socket is ours[0]:
            raise ValueError("stumbled")
        sign_out(socket)

    monkeypatch.setattr("messaging.live.connections.CHECK_SECONDS", 60)
    async with opened(f"bearer.{pair.access}") as first, opened(f"bearer.{pair.access}") as raw:
        assert (await Socket(first).frame())["type"] == "hello"
        assert (await Socket(raw).frame())["type"] == "hello"
        sockets = node.current().connections
        ours, sign_out = list(sockets._sockets), ChatConsumer.sign_out
        monkeypatch.setattr(ChatConsumer, "sign_out", first_stumbles)
        await sync_to_async(end)("signed out", alice, pair)
        await sockets.check_sign_ins()
        assert await refused(raw)
    assert "a socket stumbled" in caplog.text


async def test_tokens_that_are_known_are_looked_up_together_and_by_no_thread(
    alice, pair, monkeypatch
):
    await sync_to_async(tokens.verify)(pair.access)
    asked, threads, get_many = [], [], AsyncCache.get_many

    async def asking(self, keys):
        asked.append(len(keys))
        return await get_many(self, keys)

    monkeypatch.setattr(AsyncCache, "get_many", asking)
    monkeypatch.setattr("accounts.tokens.verify", threads.append)
    callers = await asyncio.gather(
        *map(authentication.by_token, [pair.access, "not.a.token"] * 5), return_exceptions=True
    )
    assert [user for user, _proof in callers[::2]] == [alice] * 5
    assert {type(each) for each in callers[1::2]} == {authentication.NotSignedIn}
    assert (asked, threads) == ([2], [])


async def test_a_token_that_is_not_known_yet_is_verified_and_ends_with_its_device(alice, pair):
    caches["tokens"].clear()
    user, proof = await authentication.by_token(pair.access)
    assert (user, proof.device) == (alice, pair.device_id)
    await sync_to_async(devices.revoke)(alice.pk, pair.device_id)
    with pytest.raises(authentication.NotSignedIn):  # also where it was known a moment ago
        await authentication.by_token(pair.access)
