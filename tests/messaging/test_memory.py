"""A worker collects garbage a little at a time (chattalk/server/memory.py), so what is over must go
by itself: whoever came, by whichever door, and went leaves nothing in circles. Requests do, by what
Django and its like make of each; that is collected in time.
"""

import contextvars
import gc
import json
import weakref
from functools import partial
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.core.cache import caches

from accounts import tickets
from accounts.tokens import Identity
from chattalk.server import memory, requests
from core.connection_limits import ConnectionLimit
from interfaces.stomp.frames import encode
from messaging.live import node
from tests.interfaces.socket.client import session_cookie
from tests.interfaces.stomp.client import token
from tests.messaging.leftovers import CLOSE_FRAME, asked, left_by, opened, site

ON_UVLOOP = pytest.mark.asyncio(loop_factories=["uvloop"])  # asyncio's own transports go in circles


@pytest.fixture
def collected_little():
    """What a worker does to this process when it starts is undone."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)
    gc.enable()


@pytest.fixture
async def cookie(alice):
    _, cookie = await sync_to_async(session_cookie)(alice)
    return f"Cookie: {cookie.decode()}"


@pytest.fixture
async def access(alice, settings):
    settings.MESSAGE_BURST = 1000
    return await sync_to_async(token)(alice)


def test_there_is_one_of_each_cache_whatever_the_context():
    for alias in ("default", "tokens"):
        here = caches[alias]
        assert contextvars.Context().run(lambda alias=alias: caches[alias]) is here
    assert caches["default"] is not caches["tokens"]


def test_a_worker_keeps_what_it_began_with_out_of_the_collectors_way(collected_little):
    memory.settle()
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold() == memory.THRESHOLDS


# --- sockets --------------------------------------------------------------------------------------


def talk(url, cookie, room_id):
    """One visit: until a message of one's own is heard."""
    body = str(uuid4())
    with opened(url, "/ws/", cookie) as line:
        line.tell(type="subscribe", room=room_id)
        line.tell(type="typing", room=room_id)
        line.tell(type="nonsense")
        line.tell(type="send", room=room_id, body=body, cid=str(uuid4()))
        line.hears(body.encode(), b'"ack"')
        line.close()


def break_off(url, cookie, room_id):
    with opened(url, "/ws/", cookie) as line:
        line.tell(type="subscribe", room=room_id)
        line.hears(b'"subscribed"')


def break_off_at_once(url, cookie, room_id):
    """What it asks for comes about when it has gone."""
    with opened(url, "/ws/", cookie) as line:
        line.hears(b'"hello"')
        line.tell(type="subscribe", room=room_id)


def watch(url, cookie, room_id):
    """As the lobby does."""
    with opened(url, "/ws/", cookie) as line:
        line.tell(type="watch", rooms=[room_id])
        line.hears(b'"watching"')
        line.close()


def go_at_once(url, cookie, room_id):
    """Before it is known who it is."""
    with opened(url, "/ws/", cookie) as line:
        line.close()


@ON_UVLOOP
@pytest.mark.parametrize("visit", [talk, break_off, break_off_at_once, watch, go_at_once])
async def test_who_came_and_talked_and_went_leaves_nothing(
    visit, room, cookie, settings, collected_little
):
    settings.MESSAGE_BURST = 1000
    async with site() as url:
        assert await left_by(visit, url, cookie, room.pk) == {}


# A function that calls itself, of Django's select_related(): some 300 bytes.
OF_DJANGO = {"builtins.function", "builtins.cell", "builtins.tuple"}


def show(url, word, answer):
    """Come in by a token or a ticket; without one that counts, be sent away."""
    with opened(url, "/ws/", f"Sec-WebSocket-Protocol: chattalk, {word()}") as line:
        line.hears(answer)
        line.close()


@ON_UVLOOP
@pytest.mark.parametrize("kind", ["token", "ticket", "wrong token", "wrong ticket"])
async def test_whoever_shows_a_word_leaves_nothing(kind, alice, access, collected_little):
    device = await sync_to_async(alice.devices.get)()
    words = {
        "token": lambda: f"bearer.{access}",
        "ticket": lambda: f"ticket.{tickets.issue(Identity(alice, device.pk))}",
        "wrong token": lambda: f"bearer.{uuid4()}",
        "wrong ticket": lambda: f"ticket.{uuid4()}",
    }
    answer = CLOSE_FRAME[:1] if "wrong" in kind else b'"hello"'
    async with site() as url:
        left = set(await left_by(show, url, words[kind], answer))
    assert left == (OF_DJANGO if kind == "ticket" else set())


def be_sent_away(url, *headers):
    with opened(url, "/ws/", *headers) as line:
        line.hears(CLOSE_FRAME[:1])
        line.close()


def be_refused(url, cookie):
    with opened(url, "/ws/", cookie, answer=b" 403 ", origin="Origin: http://elsewhere") as line:
        line.end()


@ON_UVLOOP
async def test_a_handshake_that_is_refused_leaves_nothing(cookie, collected_little, monkeypatch):
    async with site() as url:
        assert await left_by(be_refused, url, cookie) == {}
        assert await left_by(be_sent_away, url) == {}, "nobody"
        assert await left_by(be_sent_away, url, f"{cookie}x") == {}, "a session that is none"
        people, take = node.current().connections._people, ConnectionLimit.take
        monkeypatch.setattr(
            ConnectionLimit, "take", lambda limit, who: limit is not people and take(limit, who)
        )
        assert await left_by(be_sent_away, url, cookie) == {}, "too many of this person"


def by_stomp(path, wrapped, access, room_id, url):
    body = str(uuid4())
    with opened(url, path) as line:
        line.say(
            wrapped(
                encode(
                    "CONNECT",
                    {"accept-version": "1.1", "Authorization": f"Bearer {access}"},
                    "",
                    "1.1",
                )
            )
        )
        line.hears(b"CONNECTED")
        to = {"id": "s", "destination": f"/sub/chat/{room_id}", "receipt": "there"}
        line.say(wrapped(encode("SUBSCRIBE", to, "", "1.1")))
        line.hears(b"there")
        said = json.dumps({"chatId": str(room_id), "message": body})
        line.say(wrapped(encode("SEND", {"destination": "/send/chat/message"}, said, "1.1")))
        line.hears(body.encode())
        line.close()


def stomp_refused(path, wrapped, url):
    with opened(url, path) as line:
        line.say(wrapped(encode("CONNECT", {"Authorization": "Bearer none"}, "", "1.1")))
        line.hears(b"ERROR")
        line.close()


def sockjs(text):
    return json.dumps([text])


WIRES = {"/stomp": str, "/stomp/chat/042/abcd1234/websocket": sockjs}


@ON_UVLOOP
@pytest.mark.parametrize("path", WIRES)
async def test_who_came_by_stomp_and_went_leaves_nothing(path, room, access, collected_little):
    async with site() as url:
        talks = partial(by_stomp, path, WIRES[path], access, room.pk)
        assert await left_by(talks, url) == {}
        assert await left_by(partial(stomp_refused, path, WIRES[path]), url) == {}


# --- requests -------------------------------------------------------------------------------------


@pytest.fixture
def looked_at_amid(monkeypatch):
    """The collector looks at the young while a request is under way, which counts as old then."""
    note = requests.note

    def looked(*args):
        gc.collect(1)
        gc.collect(1)
        note(*args)

    monkeypatch.setattr(requests, "note", looked)


ROOMS = {"query": "{ rooms(first: 5) { edges { node { id title } } } }"}


@ON_UVLOOP
async def test_what_django_leaves_of_a_request_is_collected_with_what_is_old(
    room, access, cookie, looked_at_amid, collected_little
):
    token = f"Authorization: Bearer {access}"
    asks = {
        "page": ("GET", "/", None, cookie),
        "refused": ("GET", "/api/v1/me/", None, f"{token}x"),
        "REST": ("GET", "/api/v1/rooms/", None, token),
        "GraphQL": ("POST", "/graphql/", ROOMS, token),
    }
    async with site() as url:
        for what, asked_for in asks.items():
            assert await left_by(asked, url, *asked_for) == {}, what


def test_who_comes_while_nobody_asks_for_anything_is_not_looked_at_again(collected_little):
    under_way = memory.Requests()
    lives = [[] for _ in range(20_000)]
    before = gc.get_freeze_count()
    under_way.looked()
    assert gc.get_freeze_count() >= before + len(lives)


def test_what_requests_leave_is_not_kept_for_ever_by_that(collected_little):
    class Circle:
        pass

    gc.collect()
    under_way = memory.Requests()
    with under_way:
        circle = Circle()
        circle.itself = circle
        left = weakref.ref(circle)
        del circle
    under_way.looked()
    gc.collect()
    assert left() is None
