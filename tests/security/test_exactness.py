"""What is said comes back exactly, whatever it is written with; or it is refused."""

import json
import unicodedata

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from messaging.models import Event
from tests.interfaces.socket.client import socket
from tests.messaging.conftest import closed_node, given_back  # noqa: F401  (fixtures)

EXACT = {
    "emoji": "\U0001f600 \U0001f1f0\U0001f1f7",
    "a family of emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "right to left": "\u05e9\u05dc\u05d5\u05dd abc \u0645\u0631\u062d\u0628\u0627 123",
    "marks of direction": "a\u202eb\u202cc \u2067d\u2069",
    "joiners": "\u0915\u094d\u200d\u0937 a\u200bb\ufeffc",
    "zalgo": "Z" + "\u0334\u0335\u0336" * 300,
    "a thousand marks": "e" + "\u0301" * 1_000,
    "other letters that look alike": "p\u0430ypal \u0410lice \uff21",
    "Hangul in pieces": unicodedata.normalize("NFD", "\uac00\ub098\ub2e4"),
    "beyond the first plane": "\U00020000\U0001d54f\U0010fffd",
    "lines and tabs": "one\n\ttwo\n\n  three",
    "a separator of lines": "a\u2028b\u2029c",
    "as long as may be": "\U0001f600" * 4_000,
}


@pytest.mark.usefixtures("given_back")
async def test_every_door_gives_back_exactly_what_was_kept(room, alice, bob):
    """In the normal form, and otherwise code point by code point."""
    as_bob = Client()
    await sync_to_async(as_bob.force_login)(bob, "django.contrib.auth.backends.ModelBackend")
    async with socket(alice) as hers, socket(bob) as his:
        await his.subscribe(room)
        for what, text in EXACT.items():
            kept = unicodedata.normalize("NFC", text).strip()
            ack = await hers.say(room, text)
            assert ack["type"] == "ack", (what, ack)
            live = await his.next("event")
            path = f"/api/v1/rooms/{room.pk}/events/?after={ack['seq'] - 1}&limit=1"
            rest = (await sync_to_async(as_bob.get)(path)).json()["results"][0]
            row = await Event.objects.aget(room_id=room.pk, seq=ack["seq"])
            assert live["body"] == rest["body"] == row.body == kept, what


@pytest.mark.parametrize(
    "text", ["a\0b", "\ud800", "a\udc00", "\ud83d\ude00"[:1], "\x1b[31m", "\x9b"]
)
def test_what_no_store_can_hold_is_refused_and_leaves_nothing(room, as_bob, text):
    draft = json.dumps({"cid": "0e4a7c1e-1d4e-4a43-a5a5-0d6f0f0a7b51", "body": text})
    before = Event.objects.count()
    assert as_bob("POST", f"rooms/{room.pk}/events/", draft).status_code == 400
    assert Event.objects.count() == before
