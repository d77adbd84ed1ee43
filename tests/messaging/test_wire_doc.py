"""docs/wire.md is what runs: its frames are replayed, and the answers have the shapes it shows."""

import json
import re
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from messaging import services
from messaging.live import frames
from tests.messaging.sockets import socket

DOC = (Path(__file__).parents[2] / "docs" / "wire.md").read_text()
CLIENT, SERVER = DOC.split("## From the server")


def examples(text: str) -> list[dict]:
    blocks = re.findall(r"```json\n(.*?)```", text, re.S)
    return [json.loads(line) for block in blocks for line in block.splitlines()]


def shape(value):
    """Names and kinds of the fields; the keys of a mapping by id are one."""
    if isinstance(value, dict):
        if all(key.isdigit() for key in value):
            return {"id": shape(next(iter(value.values())))} if value else {}
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value[:1]]
    return type(value).__name__


@pytest.mark.parametrize("frame", examples(CLIENT), ids=lambda frame: frame["type"])
def test_each_frame_of_a_client_is_understood(frame):
    understood = frames.decode(json.dumps(frame))
    assert type(understood).__name__.lower() == frame["type"]


def test_every_type_is_in_the_document():
    shown = {frame["type"] for frame in examples(CLIENT)}
    assert shown == {kind.__struct_config__.tag for kind in frames.Frame.__args__}


async def test_the_answers_have_the_shapes_that_are_shown(room, alice, bob, charlie, monkeypatch):
    monkeypatch.setattr("messaging.live.connections.HEARTBEAT_SECONDS", 1)
    monkeypatch.setattr("messaging.live.activity.TOGETHER_SECONDS", 0.05)
    got = []
    async with socket(bob) as client:
        got.append(client.hello)
        await client.send("watch", rooms=[room.pk])
        got.append(await client.next("watching"))
        got.append(await client.subscribe(room))
        got.append(await client.next("presence"))
        got.append(await client.say(room, "hello"))
        got.append(await client.next("event"))
        await sync_to_async(services.join)(room.pk, charlie)
        got.append(await client.next("event"))
        got.append(await client.next("activity"))
        got.append(await client.next("heads"))
        got.append(await client.say(room, ""))
        await client.send("ping", ref="1")
        got.append(await client.next("pong"))
        await client.send("unsubscribe", room=room.pk)
        got.append(await client.next("unsubscribed"))
    shown = examples(SERVER)
    for frame in got:
        alike = [one for one in shown if _same_kind(one, frame)]
        assert shape(frame) in [shape(one) for one in alike], frame


def _same_kind(one: dict, other: dict) -> bool:
    return all(one.get(name) == other.get(name) for name in ("type", "kind", "code", "full"))


def test_every_code_of_a_refusal_is_in_the_document():
    folder = Path(__file__).parents[2]
    modules = (
        "messaging/client",
        "messaging/consumers",
        "messaging/services",
        "messaging/writer",
        "messaging/text",
    )
    source = "".join((folder / f"{name}.py").read_text() for name in (*modules, "rooms/services"))
    codes = set(re.findall(r'code="([a-z_]+)"', source)) | set(
        re.findall(r'"(bad_text|not_member)"', source)
    )
    not_on_the_wire = {"room_full", "changed_meanwhile", "asked", "left"}
    assert codes - not_on_the_wire <= set(re.findall(r"`([a-z_]+)`", SERVER))
