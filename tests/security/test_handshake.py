"""A page elsewhere opens no socket with a victim's cookie: real handshakes, byte by byte."""

import asyncio
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest

from tests.messaging.served import served
from tests.raw_line import UPGRADE, connect
from tests.raw_socket import say, subscribe
from tests.stack import open_room

FOREIGN = [
    "http://evil.example",
    "null",
    "NULL",
    "",
    "http://127.0.0.1.evil.example",  # longer than ours
    "http://evil127.0.0.1",
    "http://evil.example:80/127.0.0.1",
    "http://27.0.0.1",  # a part of ours
    "http://0.0.1",
    "http://127.0.0.1@evil.example",
    "http://evil.example#127.0.0.1",
    "http://evil.example?127.0.0.1",
    "http://evil.example\\127.0.0.1",
    "http://[::ffff:127.0.0.1",
    "//127.0.0.1",
    "127.0.0.1",
    "http://127.0.0.1, http://evil.example",
    "http://localhost.",
    "http://2130706433",
]
# The same host by its name alone: another app of the machine, a wrapped page, another name of it.
NEAR = [
    "http://127.0.0.1",
    "http://127.0.0.1:9",
    "https://{place}",
    "ws://{place}",
    "capacitor://{place}",
    "ionic://127.0.0.1",
    "http://localhost:{port}",
    "http://localhost:3000",
    "http://{place}.evil.example",
    "http://{place}0",
    "http://{place}/",
    "http://evil.example@{place}",
    "http:// {place}",
]
PATHS = [
    "/ws/",
    "/stomp",
    "/stomp/chat/123/abcdefgh/websocket",
    "/stomp/chat/websocket",
    "/stomp/participant/websocket",
]


async def handshake(url, path, *headers):
    """The status that a socket of these headers is answered."""
    address = urlsplit(url)
    lines = [f"GET {path} HTTP/1.1", *UPGRADE, *headers]
    if not any(line.lower().startswith("host:") for line in headers):
        lines.append(f"Host: {address.netloc}")
    async with connection(url, lines) as reader:
        status = await asyncio.wait_for(reader.readline(), 10)
    return int(status.split()[1])


@asynccontextmanager
async def connection(url, lines):
    reader, writer = await connect(url)
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    yield reader
    writer.transport.abort()
    with suppress(ConnectionError):
        await writer.wait_closed()


def cookie(person):
    return f"Cookie: {person.cookie}"


@pytest.mark.parametrize("path", PATHS)
async def test_a_foreign_origin_is_refused_before_the_socket_opens(stack, path):
    (alice,) = stack.people("alice")
    url = stack.urls[0]
    for origin in FOREIGN:
        assert await handshake(url, path, cookie(alice), f"Origin: {origin}") == 403, origin
    assert await handshake(url, path, cookie(alice), f"Origin: {url}") == 101


@pytest.mark.parametrize("path", PATHS)
async def test_another_port_or_scheme_of_the_same_host_is_another_site(stack, path):
    (alice,) = stack.people("alice")
    url = stack.urls[0]
    place = urlsplit(url)
    for near in NEAR:
        origin = near.format(place=place.netloc, port=place.port)
        assert await handshake(url, path, cookie(alice), f"Origin: {origin}") == 403, origin


async def test_the_origin_is_that_of_the_name_by_which_we_are_asked(stack):
    (alice,) = stack.people("alice")
    url, port = stack.urls[0], urlsplit(stack.urls[0]).port
    for host, origin, status in [
        (f"localhost:{port}", f"http://localhost:{port}", 101),
        (f"LOCALHOST:{port}", f"http://localhost:{port}", 101),
        ("localhost", "http://localhost:80", 101),
        (f"localhost:{port}", url, 403),
        ("evil.example", "http://evil.example", 403),
        ("127.0.0.1@evil.example", "http://127.0.0.1", 403),
    ]:
        asked = await handshake(url, "/ws/", cookie(alice), f"Host: {host}", f"Origin: {origin}")
        assert asked == status, (host, origin)


@pytest.mark.parametrize(
    "is_trusted, origin, status",
    [
        (True, "https://127.0.0.1", 101),
        (True, "https://127.0.0.1:443", 101),
        (True, "http://127.0.0.1", 403),  # the page came by plain HTTP, whoever gave it
        (True, "https://127.0.0.1:8443", 403),
        (False, "https://127.0.0.1", 403),
        (False, "http://127.0.0.1", 101),
    ],
)
async def test_behind_a_proxy_that_is_trusted_the_scheme_is_what_it_says(
    transactional_db, settings, is_trusted, origin, status
):
    settings.BEHIND_PROXY = True
    settings.TRUSTED_PROXIES = ["127.0.0.0/8" if is_trusted else "192.0.2.0/24"]
    said = ["Host: 127.0.0.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example"]
    async with served() as url:
        assert await handshake(url, "/ws/", *said, f"Origin: {origin}") == status


async def test_two_origins_are_none(stack):
    (alice,) = stack.people("alice")
    url = stack.urls[0]
    for pair in ([url, "http://evil.example"], ["http://evil.example", url], [url, url]):
        origins = [f"Origin: {origin}" for origin in pair]
        assert await handshake(url, "/ws/", cookie(alice), *origins) in (400, 403), pair


SPOOFED = {
    "the host is theirs": ["Host: evil.example", "Origin: http://evil.example"],
    "a proxy says so": ["Origin: http://evil.example", "X-Forwarded-Host: evil.example"],
    "a proxy says it is ours": ["Origin: http://evil.example", "X-Forwarded-Host: 127.0.0.1"],
    "forwarded": ["Origin: http://evil.example", "Forwarded: host=127.0.0.1;proto=https"],
    "from ourselves": ["Origin: http://evil.example", "X-Forwarded-For: 127.0.0.1"],
    "no origin, but a host": ["X-Forwarded-Host: 127.0.0.1", "X-Original-Host: 127.0.0.1"],
    "the older name": ["Sec-WebSocket-Origin: http://127.0.0.1"],
    "in another header": ["X-Note: a\x0bOrigin: http://127.0.0.1"],
    "in another header, form feed": ["X-Note: a\x0cOrigin: http://127.0.0.1"],
    "in another header, separator": ["X-Note: a\x1cOrigin: http://127.0.0.1"],
    "in another header, next line": ["X-Note: a\x85Origin: http://127.0.0.1"],
    "behind a blank": ["X-Note: a", " Origin: http://127.0.0.1"],
    "a name with a blank": ["Origin : http://127.0.0.1"],
    "a name with an underscore": ["HTTP_ORIGIN: http://127.0.0.1"],
}


@pytest.mark.parametrize("how", SPOOFED)
async def test_no_other_header_makes_a_foreign_page_one_of_ours(stack, how):
    (alice,) = stack.people("alice")
    assert await handshake(stack.urls[0], "/ws/", cookie(alice), *SPOOFED[how]) in (400, 403)


@pytest.mark.parametrize("mark", ["\x0b", "\x0c", "\x1c", "\x1d", "\x85", "\r", "\n", "\0"])
async def test_no_cookie_comes_in_by_another_header(stack, mark):
    """What splits a header's text into two must not make a header of the second."""
    (alice,) = stack.people("alice")
    url = stack.urls[0]
    smuggled = f"X-Note: a{mark}{cookie(alice)}"
    assert await opened_by(url, f"Origin: {url}", smuggled) is (mark == "\n")


async def opened_by(url, *headers):
    """Whether it is somebody's socket. A line feed does end a header: that is HTTP."""
    lines = ["GET /ws/ HTTP/1.1", f"Host: {urlsplit(url).netloc}", *headers, *UPGRADE]
    told = b""
    async with connection(url, lines) as reader:
        with suppress(ConnectionError):
            while not any(end in told for end in (b"hello", SIGNED_OUT, b" 400 ", b" 403 ")):
                if not (more := await asyncio.wait_for(reader.read(4096), 10)):
                    break
                told += more
    return b"hello" in told


SIGNED_OUT = b"\x88\x02\x0f\xa1"  # a closing frame with 4001


async def test_a_refused_page_left_nothing_behind(stack):
    alice, bob = stack.people("alice", "bob")
    room = await stack.arun(open_room, alice, bob)
    async with stack.socket(1, alice) as ours:
        await subscribe(ours, room)
        assert await handshake(stack.urls[0], "/ws/", cookie(bob), "Origin: null") == 403
        assert (await say(ours, room, "as if nothing had been"))["type"] == "ack"
