"""How many sockets one may have, at each door; and a flood of one keeps no other out."""

import asyncio
import json

import pytest
import websockets
from asgiref.sync import sync_to_async
from django.test import RequestFactory

from accounts import devices
from messaging.live import node
from messaging.live.close_codes import CloseCode
from tests import raw_socket
from tests.interfaces.socket.client import session_cookie
from tests.limits.conftest import PASSWORD
from tests.messaging.conftest import closed_node  # noqa: F401  (a fixture)
from tests.messaging.served import served
from tests.presence.cluster import until
from tests.raw_line import SECONDS, UPGRADE, connect, ended, head

OTHER = "127.0.0.2"
DOORS = ["/ws/", "/stomp", "/stomp/chat/123/abcdefgh/websocket", "/stomp/chat/websocket"]


def opened(url, user=None, path="/ws/", address="127.0.0.1"):
    """From that address of this machine."""
    cookie = "" if user is None else user.cookie
    return raw_socket.opened(url, path, cookie=cookie, local_addr=(address, 0))


async def known(user):
    _name, cookie = await sync_to_async(session_cookie)(user)
    user.cookie = cookie.decode()


@pytest.mark.parametrize("path", DOORS)
async def test_one_address_has_so_many_sockets_and_others_have_theirs(alice, settings, path):
    settings.ADDRESS_SOCKETS = 2
    await known(alice)
    async with served() as url:
        first, second = [await opened(url, alice, path) for _ in range(2)]
        with pytest.raises(websockets.InvalidStatus) as refused:
            await opened(url, alice, path)
        answer = refused.value.response
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 10
        assert json.loads(answer.body)["code"] == "too_many"
        await (await opened(url, alice, path, OTHER)).close()
        for socket in (first, second):
            await socket.close()
        await until(lambda: not node.current().connections.addresses._counts)
        await (await opened(url, alice, path)).close()


async def test_a_flood_of_one_person_is_turned_away_with_a_time_and_others_come_in(
    alice, bob, settings
):
    settings.PERSON_SOCKETS = 2
    await known(alice), await known(bob)
    async with served() as url:
        flood = [await opened(url, alice) for _ in range(20)]
        codes = []
        for socket in flood[2:]:
            with pytest.raises(websockets.ConnectionClosed):
                await asyncio.wait_for(socket.recv(), SECONDS)
            codes.append(socket.close_code)
            assert 1 <= json.loads(socket.close_reason)["retry_after"] <= 10
        assert codes == [CloseCode.BUSY] * 18
        async with opened(url, bob) as other:
            assert json.loads(await asyncio.wait_for(other.recv(), SECONDS))["type"] == "hello"
        for socket in flood[:2]:
            assert json.loads(await socket.recv())["type"] == "hello"
        await flood[0].close()
        async with opened(url, alice) as again:
            assert json.loads(await asyncio.wait_for(again.recv(), SECONDS))["type"] == "hello"
        await flood[1].close()


async def test_the_sockets_of_one_person_count_together_at_all_doors(alice, settings):
    settings.PERSON_SOCKETS = 1
    await known(alice)
    pair = await sync_to_async(devices.sign_in)(RequestFactory().post("/"), alice.email, PASSWORD)
    connect = f"CONNECT\naccept-version:1.2\nAuthorization:Bearer {pair.access}\n\n\0"
    async with served() as url, opened(url, alice) as first:
        assert json.loads(await first.recv())["type"] == "hello"
        async with opened(url, path="/stomp") as stomp:
            await stomp.send(connect)
            error = await asyncio.wait_for(stomp.recv(), SECONDS)
            assert error.startswith("ERROR") and "code:too_many" in error
            with pytest.raises(websockets.ConnectionClosed):
                await asyncio.wait_for(stomp.recv(), SECONDS)
            assert stomp.close_code == CloseCode.BUSY
        async with opened(url, path=DOORS[2]) as sockjs:
            assert await sockjs.recv() == "o"
            await sockjs.send(json.dumps([connect]))
            assert "code:too_many" in await asyncio.wait_for(sockjs.recv(), SECONDS)
            assert (await asyncio.wait_for(sockjs.recv(), SECONDS)).startswith("c[4013,")


async def test_by_a_proxy_of_ours_each_client_counts_for_itself(transactional_db, settings):
    settings.ADDRESS_SOCKETS = 1
    settings.BEHIND_PROXY, settings.TRUSTED_PROXIES = True, ["127.0.0.1/32"]

    def by_proxy(url, client):
        return raw_socket.opened(url, "/stomp", headers={"X-Forwarded-For": client})

    async with served() as url, by_proxy(url, "192.0.2.1"), by_proxy(url, "192.0.2.2"):
        with pytest.raises(websockets.InvalidStatus):
            await by_proxy(url, "198.51.100.1, 192.0.2.1")


async def test_a_handshake_that_one_parser_takes_and_the_other_does_not_is_answered(db):
    """uvicorn reads the head, websockets reads it again: what it refuses nobody would answer."""
    odd = head("/ws/", *UPGRADE, "X-Note: one\x1ctwo")
    async with served() as url:
        reader, writer = await connect(url)
        writer.write(odd)
        assert (await ended(reader)).startswith(b"HTTP/1.1 400 ")
        writer.close()
