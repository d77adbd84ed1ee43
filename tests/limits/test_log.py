"""What was refused is on the log, to whom, and nothing of what they sent; a flood is one line."""

import json
import logging
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from chattalk.asgi import application
from core import refusal_log
from messaging import services
from tests.interfaces.socket.client import PAGE, ended, socket
from tests.messaging.conftest import closed_node  # noqa: F401  (a fixture)

pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def log(caplog, monkeypatch):
    for name in ("_until", "_more"):
        monkeypatch.setattr(refusal_log, name, {})
    caplog.set_level(logging.INFO, logger=refusal_log.__name__)
    return lambda: [
        each.getMessage() for each in caplog.records if each.name == refusal_log.__name__
    ]


async def tried(*headers):
    communicator = WebsocketCommunicator(application, "/ws/", list(headers))
    communicator.scope["client"] = ("192.0.2.5", 1)
    await communicator.connect(timeout=5)
    await ended(communicator)


async def test_who_is_not_let_in_is_noted_once_in_a_while(db, log):
    for _ in range(3):
        await tried(*PAGE, (b"cookie", b"sessionid=notasecretofanyone"))
        await tried((b"origin", b"https://evil.example"))
    assert log() == [
        "refused: a socket without a sign-in that counts (192.0.2.5)",
        "refused: a socket from a foreign page (192.0.2.5)",
    ]


async def test_a_flood_says_how_many_there_were(log, monkeypatch):
    for _ in range(5):
        refusal_log.note("a thing", "192.0.2.5")
    monkeypatch.setattr(refusal_log, "_until", {})
    refusal_log.note("a thing", "192.0.2.5")
    assert log()[1:] == ["refused: a thing (192.0.2.5), and 4 times before"]


async def test_an_operation_of_others_is_noted_without_what_was_said(alice, bob, log):
    room = await sync_to_async(services.open_room)(alice, title="Secret")
    async with socket(bob) as client:
        said = {"type": "send", "room": room.pk, "cid": str(uuid4()), "body": "let me in"}
        await client.raw.send_to(text_data=json.dumps(said))
        assert (await client.next("nack"))["code"] == "not_member"
    assert log() == [f"refused: send in a room of others ({bob.pk})"]
