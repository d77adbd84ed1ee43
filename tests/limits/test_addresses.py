"""Whose address counts: the peer's, unless a proxy that we trust says whose request it brings."""

import asyncio
import json
from urllib.parse import urlsplit

import pytest

from core import client_ip
from tests.messaging.served import served

PROXY, STRANGER = "127.0.0.9", "127.0.0.2"


async def mirror(scope, receive, send):
    told = json.dumps({"client": scope["client"][0], "scheme": scope["scheme"]}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": told})


async def asked(url, peer, *headers):
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port, local_addr=(peer, 0))
    lines = ["GET / HTTP/1.1", "Host: x", "Connection: close", *headers]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    answer = await reader.read()
    writer.close()
    return json.loads(answer[answer.index(b"{") : answer.rindex(b"}") + 1])


@pytest.mark.parametrize(
    "peer, forwarded, client",
    [
        (STRANGER, "203.0.113.5", STRANGER),
        (STRANGER, f"203.0.113.5, {PROXY}", STRANGER),
        (PROXY, "203.0.113.5", "203.0.113.5"),
        (PROXY, "198.51.100.1, 203.0.113.5", "203.0.113.5"),  # what the client said of itself
        (PROXY, "198.51.100.1, 203.0.113.5, 127.0.0.8", "203.0.113.5"),  # two proxies of ours
        (PROXY, "198.51.100.1, 2001:db8::7", "2001:db8::7"),
    ],
)
async def test_only_a_trusted_proxy_is_believed(settings, peer, forwarded, client):
    settings.BEHIND_PROXY, settings.TRUSTED_PROXIES = True, ["127.0.0.8/31"]
    said = [f"X-Forwarded-For: {forwarded}", "X-Forwarded-Proto: https"]
    async with served(mirror) as url:
        answer = await asked(url, peer, *said)
    assert answer == {"client": client, "scheme": "https" if peer == PROXY else "http"}


async def test_without_a_proxy_nobody_is(settings):
    async with served(mirror) as url:
        answer = await asked(url, "127.0.0.1", "X-Forwarded-For: 203.0.113.5")
    assert answer["client"] == "127.0.0.1"


def test_django_believes_no_header_by_itself(rf):
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.5"}
    request = rf.get("/", headers=forged, REMOTE_ADDR=STRANGER)
    assert not request.is_secure()
    assert client_ip.of(request) == STRANGER


@pytest.mark.parametrize(
    "address, home",
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::"),
        ("2001:db8::ffff:0:1", "2001:db8::"),
        ("", ""),
        ("unix:", ""),
        ("<script>", ""),
    ],
)
def test_all_addresses_of_one_client_are_one(address, home):
    assert client_ip.home(address) == home


@pytest.mark.parametrize(
    "is_behind, peer, is_said",
    [
        (False, "127.0.0.1", True),
        (True, STRANGER, True),
        (True, PROXY, False),
    ],
)
async def test_a_proxy_that_is_not_believed_is_warned_of_once_in_a_while(
    settings, caplog, is_behind, peer, is_said
):
    settings.BEHIND_PROXY = is_behind
    settings.TRUSTED_PROXIES = ["127.0.0.8/31"] if is_behind else []
    async with served(mirror) as url:
        await asked(url, peer)
        assert "X-Forwarded-For" not in caplog.text
        for _ in range(3):
            await asked(url, peer, "X-Forwarded-For: 203.0.113.5")
    said = [record.getMessage() for record in caplog.records if "X-Forwarded-For" in record.msg]
    assert len(said) == is_said
    assert all(f"from {peer}, which is not believed" in line for line in said)
    assert "203.0.113.5" not in caplog.text
