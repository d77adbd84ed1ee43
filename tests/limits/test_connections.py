"""Connections that take time and give nothing, through uvicorn as our workers run it."""

import asyncio
import socket
import struct
from urllib.parse import urlsplit

import pytest

from chattalk.server import connection_timeouts
from chattalk.server.worker import configuration
from tests.messaging.served import served
from tests.raw_line import SECONDS, asked, connect, ended, head

OTHER = "127.0.0.2"


async def hello(scope, receive, send):
    while scope["method"] == "POST" and (await receive()).get("more_body"):
        pass
    size = 8_000_000 if scope["path"] == "/much" else 5
    headers = [(b"content-length", str(size).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"h" * size})


@pytest.fixture
def hasty(monkeypatch):
    """The same bounds, in less time."""
    waits = dict.fromkeys(connection_timeouts.WAITS, 0.3)
    monkeypatch.setattr(connection_timeouts, "WAITS", waits)
    monkeypatch.setattr(connection_timeouts, "READING_SECONDS", 0.3)


def test_a_handshake_has_ten_seconds_at_most():
    assert set(connection_timeouts.WAITS.values()) == {10.0, 20.0}


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        head()[:-2],
        head("/", "Content-Length: 10", method="POST") + b"12345",
        head("/", "Transfer-Encoding: chunked", method="POST") + b"5\r\n12345\r\n",
    ],
    ids=["nothing", "half a head", "half a body", "half of the chunks"],
)
async def test_what_does_not_come_to_its_end_is_ended(hasty, begun):
    async with served(hello) as url:
        reader, writer = await connect(url)
        writer.write(begun)
        assert (await ended(reader)).startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_a_byte_now_and_then_does_not_lengthen_it(hasty):
    async with served(hello) as url:
        reader, writer = await connect(url)

        async def drip():
            for byte in head("/", *(f"X-{n}: 1" for n in range(500))):
                writer.write(bytes([byte]))
                await asyncio.sleep(0.05)

        dripping = asyncio.create_task(drip())
        assert (await ended(reader)).startswith(b"HTTP/1.1 408 ")
        dripping.cancel()
        writer.close()


async def test_who_goes_on_asking_in_time_is_not_ended(hasty):
    async with served(hello) as url:
        reader, writer = await connect(url)
        for _ in range(4):
            await asyncio.sleep(0.15)
            writer.write(head())
            async with asyncio.timeout(SECONDS):
                assert (await reader.readuntil(b"hhhhh")).startswith(b"HTTP/1.1 200 ")
        writer.close()


async def test_an_answer_that_nobody_reads_is_cut(hasty):
    async with served(hello) as url:
        reader, writer = await connect(url)
        reader._transport.pause_reading()
        writer.write(head("/much"))
        await asyncio.sleep(1)
        reader._transport.resume_reading()
        assert len(await ended(reader)) < 8_000_000
        writer.close()


async def test_one_address_has_so_many_connections_and_others_have_theirs(settings):
    settings.ADDRESS_CONNECTIONS = 3
    async with served(hello) as url:
        held = [await connect(url) for _ in range(3)]
        reader, writer = await connect(url)
        refused = await ended(reader)
        assert refused.startswith(b"HTTP/1.1 429 ") and b'"too_many"' in refused
        assert b"retry-after: " in refused
        assert (await asked(url, head(), OTHER)).startswith("HTTP/1.1 200 ")
        for _, other in [*held, (reader, writer)]:
            other.close()
        async with asyncio.timeout(SECONDS):
            while not (await asked_or_refused(url)).startswith(b"HTTP/1.1 200 "):
                await asyncio.sleep(0.05)


async def asked_or_refused(url):
    reader, writer = await connect(url)
    writer.write(head("/", "Connection: close"))
    answer = await ended(reader)
    writer.close()
    return answer


async def test_a_proxy_of_ours_is_not_counted(settings):
    settings.ADDRESS_CONNECTIONS = 1
    settings.BEHIND_PROXY, settings.TRUSTED_PROXIES = True, ["127.0.0.1/32"]
    async with served(hello) as url:
        held = [await connect(url) for _ in range(3)]
        assert (await asked(url, head())).startswith("HTTP/1.1 200 ")
        for _, writer in held:
            writer.close()


def test_a_proxy_of_ipv4_is_ours_at_a_socket_of_ipv6_too(settings):
    settings.BEHIND_PROXY, settings.TRUSTED_PROXIES = True, ["10.0.0.0/8", "::1"]
    counted = configuration().counted
    assert [counted(peer) for peer in ("10.1.2.3", "::ffff:10.1.2.3", "::1")] == ["", "", ""]
    assert counted("::ffff:192.0.2.1") == counted("192.0.2.1") == "192.0.2.1"


RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST


def say_and_go(url, said):
    """Within one step of the loop, which is the server's, too: it has no time to accept it."""
    where = urlsplit(url)
    with socket.create_connection((where.hostname, where.port)) as line:
        line.sendall(said)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


async def test_what_was_asked_by_somebody_who_has_gone_is_not_done():
    """It has no address: no limit counts it, and its work is nobody's. A client that asks again
    after its line broke must not be overtaken by what it asked before."""
    done = []

    async def app(scope, receive, send):
        done.append(scope["path"])
        await hello(scope, receive, send)

    async with served(app) as url:
        for _ in range(3):
            say_and_go(url, head("/gone"))
        assert "200" in await asked(url, head("/here"))
    assert done == ["/here"]
