"""Every command and destination of STOMP, by everyone in docs/policy.md."""

import json

import pytest
from asgiref.sync import sync_to_async

from interfaces.stomp.destinations import SendDestination, Topic
from interfaces.stomp.session import COMMANDS
from tests.doors.policy import ROLES, scene, table
from tests.interfaces.stomp.client import opened, stomp
from tests.messaging.conftest import closed_node, given_back  # noqa: F401

pytestmark = pytest.mark.usefixtures("given_back")
DOOR = "STOMP `/stomp`"
TOPICS = {f"SUBSCRIBE {topic}": topic for topic in Topic}
DEEDS = {f"SEND {deed}": deed for deed in SendDestination}
OTHERS = {command: command for command in COMMANDS if command not in ("SUBSCRIBE", "SEND")}
OPERATIONS = {"CONNECT": "CONNECT"} | TOPICS | DEEDS | OTHERS


def test_every_operation_has_a_row():
    assert set(table(DOOR)) == set(OPERATIONS)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_each_cell_is_as_the_policy_says(transactional_db, operation, role):
    here = await sync_to_async(scene)(role)
    assert await answered(operation, here) == table(DOOR)[operation][role]


async def answered(operation, here):
    if here.actor is None:
        async with opened() as client:
            if operation == "CONNECT":
                return (await client.connect()).headers["code"]
            await ask(client, operation, here.room.pk)
            return (await client.frame()).headers["code"]
    async with stomp(here.actor) as client:
        if operation == "CONNECT":
            return client.connected.command
        await client.subscribe(Topic.ERRORS, id="e")
        await ask(client, operation, here.room.pk)
        return await outcome(client)


async def ask(client, operation, room):
    if operation in TOPICS:
        topic = TOPICS[operation]
        where = topic if topic is Topic.ERRORS else f"{topic}{room}"
        await client.send("SUBSCRIBE", id="s", destination=where, receipt="r")
    elif operation in DEEDS:
        body = json.dumps({"chatId": str(room), "message": "hello"})
        await client.send("SEND", body, destination=DEEDS[operation], receipt="r")
    else:
        await client.send(operation, id=f"{room}-1", receipt="r")


async def outcome(client):
    while True:
        frame = await client.frame()
        if frame.headers.get("receipt-id") == "r":
            return frame.headers.get("code") or frame.command
