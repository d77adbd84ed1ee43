"""Sockets of STOMP that have not said who they are: few of an address, and read slowly."""

import asyncio

import pytest
import websockets
from asgiref.sync import sync_to_async
from django.test import RequestFactory

from accounts import devices
from interfaces.stomp.session import Session
from messaging.live import node
from tests.limits.conftest import PASSWORD
from tests.limits.test_sockets import OTHER, opened
from tests.messaging.conftest import closed_node  # noqa: F401  (a fixture)
from tests.messaging.served import served
from tests.presence.cluster import until
from tests.raw_line import SECONDS

DOORS = ["/stomp", "/stomp/chat/123/abcdefgh/websocket", "/stomp/chat/websocket"]


@pytest.mark.parametrize("path", DOORS)
async def test_an_address_has_few_sockets_that_have_not_connected(alice, settings, path):
    settings.ADDRESS_STRANGERS = 2
    async with served() as url:
        first, second = [await opened(url, path=path) for _ in range(2)]
        with pytest.raises(websockets.InvalidStatus) as refused:
            await opened(url, path=path)
        assert refused.value.response.status_code == 429
        assert int(refused.value.response.headers["Retry-After"]) >= 1
        await (await opened(url, path=path, address=OTHER)).close()
        await first.close()
        await until(lambda: sum(node.current().connections.strangers._counts.values()) == 1)
        await (await opened(url, path=path)).close()
        await second.close()
        await until(lambda: not node.current().connections.strangers._counts)
        assert not node.current().connections.addresses._counts


async def test_who_has_connected_is_no_stranger(alice, settings):
    settings.ADDRESS_STRANGERS = 1
    pair = await sync_to_async(devices.sign_in)(RequestFactory().post("/"), alice.email, PASSWORD)
    connect = f"CONNECT\naccept-version:1.2\nAuthorization:Bearer {pair.access}\n\n\0"
    async with served() as url:
        sockets = []
        for _ in range(3):
            sockets.append(await opened(url, path="/stomp"))
            await sockets[-1].send(connect)
            assert (await asyncio.wait_for(sockets[-1].recv(), SECONDS)).startswith("CONNECTED")
        for socket in sockets:
            await socket.close()


@pytest.mark.parametrize("path", DOORS)
async def test_what_comes_before_connect_is_read_slowly(
    transactional_db, settings, monkeypatch, path
):
    """Blank lines are heart-beats: they may come at any time, and end nothing."""
    settings.FRAME_BURST, settings.FRAME_RATE = 40, 1
    monkeypatch.setattr("interfaces.stomp.consumer.CONNECT_SECONDS", 1.5)
    taken, take = [], Session.take

    async def counting(session, data):
        taken.append(data)
        await take(session, data)

    monkeypatch.setattr(Session, "take", counting)
    async with served() as url, opened(url, path=path) as socket:
        for _ in range(50):
            await socket.send('["\\n"]' if "/123/" in path else "\n")
        with pytest.raises(websockets.ConnectionClosed):
            while True:
                await asyncio.wait_for(socket.recv(), SECONDS)
    assert socket.close_code == 4001
    assert 2 <= len(taken) < 25
