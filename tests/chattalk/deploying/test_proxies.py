"""The site behind each proxy of `deploy/`, as it is in production: TLS, and no DEBUG."""

import asyncio
import json
import re
import secrets
import urllib.request
from contextlib import AsyncExitStack

import pytest

from chattalk.server.static import FOR_GOOD
from tests import raw_socket
from tests.chattalk.deploying.proxies import KINDS, NAME, needs_proxies, running
from tests.stack import Stack

pytestmark = needs_proxies
SIGN_INS = 3  # a minute, per address
IDLE_SECONDS = 90  # longer than the usual 60 of each of them
CONNECT = "CONNECT\naccept-version:1.2\nhost:x\nAuthorization:Bearer {}\n\n\0"


@pytest.fixture(scope="module")
def site(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        stack = Stack(
            1, "proxied", DEBUG="false", SECRET_KEY=secrets.token_urlsafe(50), ALLOWED_HOSTS=NAME,
            BEHIND_PROXY="true", TRUSTED_PROXIES="127.0.0.1", SIGN_IN_RATE=str(SIGN_INS),
        )  # fmt: skip
    yield stack
    print(stack.said())
    stack.close()


@pytest.fixture(scope="module")
def proxies(site):
    with running(site.urls[0].removeprefix("http://")) as proxies:
        yield proxies


@pytest.fixture(params=KINDS)
def proxy(request, proxies):
    return proxies[request.param]


_people = iter(range(2, 250))


@pytest.fixture
def person(site):
    """Makes people, each with an address of their own; a token of them."""

    def ask(path, address, token="", method="POST", **fields):
        headers = {"Content-Type": "application/json", "Host": NAME}
        headers |= {"X-Forwarded-Proto": "https", "X-Forwarded-For": address}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        body = json.dumps(fields).encode()
        url = f"{site.urls[0]}/api/v1/{path}"
        request = urllib.request.Request(url, body, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer) if answer.status != 204 else None

    def make():
        number = next(_people)
        address = f"10.0.0.{number}"
        proof = {"email": f"p{number}@example.com", "password": "a long and quiet evening"}
        ask("accounts/", address, display_name=f"P{number}", **proof)
        token = ask("tokens/", address, **proof)["access"]
        return token, lambda path, method="POST", **fields: ask(
            path, address, token, method, **fields
        )

    return make


def socket(proxy, token, source="127.0.0.1"):
    words = raw_socket.by_token(token)
    return raw_socket.opened(proxy.url, words=words, ping_interval=None, **proxy.line(source))


@pytest.fixture
def two(person):
    """Two people in a room: their tokens, and the room."""
    (alice, ask), (bob, join) = person(), person()
    room = ask("rooms/", title="Tea", capacity=10)["id"]
    join(f"rooms/{room}/membership/", "PUT")
    return alice, bob, room


def test_pages_come_by_http_2_and_their_files_are_kept_for_good(proxy):
    page = proxy.curl("/")
    assert page.startswith("HTTP/2 200")
    assert re.search("^strict-transport-security: ", page, re.I | re.M)
    script = proxy.curl(re.search(r'src="(/static/v-[^"]+\.js)"', page)[1])
    assert script.startswith("HTTP/2 200") and FOR_GOOD in script


async def test_two_people_talk_and_a_reload_of_the_proxy_ends_no_socket(proxy, two):
    alice, bob, room = two
    async with socket(proxy, alice) as one, socket(proxy, bob, "127.0.0.5") as other:
        for line in (one, other):
            await raw_socket.subscribe(line, room)
        for body in ("before", "after"):
            assert (await raw_socket.say(one, room, body))["type"] == "ack"
            assert (await raw_socket.frame(other, "event"))["body"] == body
            if body == "before":
                await asyncio.to_thread(proxy.reload)
                async with socket(proxy, bob) as new:  # by the proxy as it is now
                    await raw_socket.subscribe(new, room)


async def test_stomp_and_sockjs_pass(proxy, person):
    token, _ = person()
    options = proxy.line()
    async with raw_socket.opened(proxy.url, "/stomp", words=["v12.stomp"], **options) as line:
        await line.send(CONNECT.format(token))
        assert str(await line.recv()).startswith("CONNECTED")
    assert '"websocket":true' in proxy.curl("/stomp/chat/info").replace(" ", "")
    async with raw_socket.opened(proxy.url, "/stomp/chat/1/abc/websocket", **options) as line:
        assert await line.recv() == "o"
        await line.send(json.dumps([CONNECT.format(token)]))
        assert "CONNECTED" in await line.recv()


def test_limits_count_the_real_address_whatever_a_client_says_of_it(proxy):
    def sign_in(source, *says):
        proof = json.dumps({"email": "nobody@example.com", "password": "wrong"})
        headers = [part for one in says for part in ("-H", one)]
        asked = "-H", "Content-Type: application/json", "-d", proof, *headers
        return int(proxy.curl("/api/v1/tokens/", *asked, source=source).split()[1])

    one, other = ADDRESSES[type(proxy).__name__]
    assert [sign_in(one) for _ in range(SIGN_INS + 1)] == [*[401] * SIGN_INS, 429]
    assert sign_in(one, f"X-Forwarded-For: {other}") == 429
    assert sign_in(one, f"X-Forwarded-For: {other}, 127.0.0.1", f"X-Real-IP: {other}") == 429
    assert sign_in(one, f"Forwarded: for={other}") == 429
    assert sign_in(other, f"X-Forwarded-For: {one}") == 401


ADDRESSES = {
    "Nginx": ("127.0.1.1", "127.0.1.2"),
    "Haproxy": ("127.0.2.1", "127.0.2.2"),
    "Caddy": ("127.0.3.1", "127.0.3.2"),
}


def test_a_client_can_not_say_that_its_line_is_safe(proxy):
    """Else a form would be sent where everybody can read it. Here it is safe, and the site says
    so by its cookies; the other way round it would turn in a circle."""
    page = proxy.curl("/accounts/sign-in/", "-H", "X-Forwarded-Proto: http")
    assert page.startswith("HTTP/2 200")


async def test_a_reload_of_the_site_passes_through_all_of_them(site, proxies, person):
    """Who is sent away hears it in the site's own words, and nobody who comes is refused."""
    token, _ = person()
    async with AsyncExitStack() as stack:
        lines = [
            await stack.enter_async_context(socket(proxy, token)) for proxy in proxies.values()
        ]
        for line in lines:
            await line.recv()
        before = site.workers[0].relieve()
        ending = asyncio.create_task(asyncio.to_thread(before.stop))
        while not ending.done():
            for proxy in proxies.values():
                assert (await asyncio.to_thread(proxy.curl, "/")).startswith("HTTP/2 200")
                async with socket(proxy, token) as new:
                    await new.recv()
        await ending
        for line in lines:
            await line.wait_closed()
            assert line.close_code == 1012
            assert json.loads(line.close_reason)["retry_after"] <= 0.1


@pytest.mark.slow
async def test_a_socket_that_says_nothing_stays(proxy, two):
    alice, _, room = two
    async with socket(proxy, alice) as line:
        await raw_socket.subscribe(line, room)
        await asyncio.sleep(IDLE_SECONDS)
        assert (await raw_socket.say(line, room, "still here"))["type"] == "ack"
