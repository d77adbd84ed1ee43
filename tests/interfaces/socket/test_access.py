"""Who may open a socket, and for how long."""

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from chattalk.asgi import application
from tests.interfaces.socket.client import PAGE, session_cookie, socket


@pytest.mark.parametrize(
    "headers", [[], [(b"origin", b"http://evil.example")], [(b"origin", b"null")]]
)
async def test_a_foreign_or_missing_origin_is_refused_before_the_socket_opens(alice, headers):
    cookie = await sync_to_async(session_cookie)(alice)
    communicator = WebsocketCommunicator(application, "/ws/", [cookie, *headers])
    connected, _ = await communicator.connect()
    assert not connected


async def test_without_a_session_the_socket_is_closed_at_once(db):
    communicator = WebsocketCommunicator(application, "/ws/", [*PAGE])
    await communicator.connect()
    assert await communicator.receive_output() == {"type": "websocket.close", "code": 4001}


async def test_a_path_that_is_not_there_is_refused(alice):
    cookie = await sync_to_async(session_cookie)(alice)
    communicator = WebsocketCommunicator(application, "/ws/other", [cookie, *PAGE])
    connected, _ = await communicator.connect()
    assert not connected


@pytest.mark.parametrize("how", ["sign_out", "password", "deactivated"])
async def test_a_socket_does_not_outlive_its_session(room, alice, bob, how, monkeypatch):
    monkeypatch.setattr("messaging.live.connections.CHECK_SECONDS", 0.1)
    async with socket(alice) as other, socket(bob) as client:
        await client.subscribe(room)
        await sync_to_async(_end_session)(bob, how)
        message = await client.raw.receive_output(timeout=5)
        while message["type"] == "websocket.send":
            message = await client.raw.receive_output(timeout=5)
        assert message == {"type": "websocket.close", "code": 4001}
        assert (await other.say(room, "alice stays"))["type"] == "ack"


def _end_session(user, how):
    from django.contrib.sessions.models import Session

    if how == "sign_out":
        for session in Session.objects.all():
            if session.get_decoded()["_auth_user_id"] == str(user.pk):
                session.delete()
    elif how == "password":
        user.set_password("another one entirely")
        user.save()
    else:
        user.is_active = False
        user.save()
