"""Every frame of /ws/, by everyone in docs/policy.md."""

from typing import get_args
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from chattalk.asgi import application
from messaging.live import frames, node
from tests.doors.policy import ROLES, scene, table
from tests.interfaces.socket.client import PAGE, socket
from tests.messaging.conftest import closed_node  # noqa: F401

DOOR = "Socket `/ws/`"
FRAMES = {frame.__struct_config__.tag: frame for frame in get_args(frames.Frame)}


def test_every_frame_has_a_row():
    assert set(table(DOOR)) == set(FRAMES)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", FRAMES)
async def test_each_cell_is_as_the_policy_says(transactional_db, operation, role):
    here = await sync_to_async(scene)(role)
    assert await answered(operation, here) == table(DOOR)[operation][role]


async def answered(operation, here):
    if here.actor is None:
        return await refused_nobody()
    async with socket(here.actor) as client:
        if operation == "typing":  # which needs a subscription; who gets none is refused anyway
            await client.subscribe(here.room)
        await client.send(operation, **fields(operation, here.room.pk))
        await client.send("ping", ref="end")
        return await outcome(client)


async def refused_nobody():
    communicator = WebsocketCommunicator(application, "/ws/", [*PAGE])
    await communicator.connect()
    return str((await communicator.receive_output())["code"])


def fields(operation, room_id):
    everything = {"room": room_id, "cid": uuid4(), "body": "hello", "seq": 1, "rooms": [room_id]}
    names = {field.encode_name for field in frames.msgspec.structs.fields(FRAMES[operation])}
    return {name: value for name, value in everything.items() if name in names}


async def outcome(client):
    frame = await client.next("subscribed", "unsubscribed", "ack", "nack", "watching", "pong")
    if frame["type"] == "nack":
        return frame["code"]
    if frame["type"] == "watching":
        return "watching" if frame["rooms"] else "watching nothing"
    if frame.get("ref") == "end":
        late = await answer_after_commit(client)
        return late or "-"
    return frame["type"]


async def answer_after_commit(client):
    """A send is answered when it is stored, which may be after the ping."""

    await node.current().writer.idle()
    await client.send("ping", ref="really")
    frame = await client.next("ack", "nack", "pong")
    return {"nack": frame.get("code"), "pong": ""}.get(frame["type"], frame["type"])
