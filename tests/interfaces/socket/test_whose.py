"""A socket is opened for the person whom its page was made for, or not at all."""

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from chattalk.asgi import application
from tests.interfaces.socket.client import PAGE, session_cookie


async def opened(user, *words):
    cookie = await sync_to_async(session_cookie)(user)
    return WebsocketCommunicator(application, "/ws/", [cookie, *PAGE], list(words))


async def test_the_page_of_somebody_else_is_closed_before_hello(alice, bob):
    socket = await opened(bob, "chattalk", f"as.{alice.pk}")
    assert await socket.connect() == (True, "chattalk")
    assert await socket.receive_output() == {"type": "websocket.close", "code": 4003}


@pytest.mark.parametrize("word", ["as.", "as.x", "as.0"])
async def test_a_word_that_names_nobody_is_closed_as_well(alice, word):
    socket = await opened(alice, "chattalk", word)
    await socket.connect()
    assert await socket.receive_output() == {"type": "websocket.close", "code": 4003}


async def test_the_page_of_the_same_person_is_greeted(alice):
    socket = await opened(alice, "chattalk", f"as.{alice.pk}")
    assert await socket.connect() == (True, "chattalk")
    assert f'"id":{alice.pk}' in await socket.receive_from()
    await socket.disconnect()
