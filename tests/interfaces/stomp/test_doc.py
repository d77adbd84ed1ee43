"""docs/stomp.md is what runs: its frames are sent as they stand, and answered as it shows."""

import json
import re
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from interfaces.stomp.frames import Bad, Frame, Parser
from messaging import services
from tests.interfaces.stomp.client import opened, stomp, token

DOC = (Path(__file__).parents[3] / "docs" / "stomp.md").read_text()
BLOCKS = [block.replace("␀", "\0") for block in re.findall(r"```\n(.*?)```", DOC, re.S)]
FROM_CLIENT = ("CONNECT", "SUBSCRIBE")


def read(text: str) -> Frame | Bad:
    (frame,) = Parser().feed(text.rstrip("\n").encode())
    return frame


def shown(command: str, destination: str = "") -> Frame:
    frames = [read(block) for block in BLOCKS]
    (frame,) = [
        one
        for one in frames
        if one.command == command and one.headers.get("destination", "").startswith(destination)
    ]
    return frame


def looks_like(frame: Frame, example: Frame) -> None:
    """The same headers in the same order; the same fields in the body, if it is JSON."""
    assert list(frame.headers) == list(example.headers)
    if example.headers.get("content-type") == "application/json":
        assert fields(frame) == fields(example)


def fields(frame: Frame) -> list[str]:
    body = json.loads(frame.body)
    return list(body[0] if isinstance(body, list) else body)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0])
def test_each_frame_is_whole_and_as_long_as_it_says(block):
    frame = read(block)
    assert isinstance(frame, Frame), frame
    if frame.command not in FROM_CLIENT and frame.body:
        assert int(frame.headers["content-length"]) == len(frame.body)


async def test_connect_is_answered_as_shown(bob):
    access = await sync_to_async(token)(bob)
    (connect,) = [block for block in BLOCKS if block.startswith("CONNECT\n")]
    async with opened() as client:
        await client.text(connect.rstrip("\n").replace("<access token>", access))
        looks_like(await client.frame(), shown("CONNECTED"))


async def test_a_subscription_is_answered_as_shown(room, alice, bob):
    (subscribe,) = [block for block in BLOCKS if block.startswith("SUBSCRIBE\n")]
    await services_say(room, bob, "hello")
    frame = subscribe.rstrip("\n").replace("/7", f"/{room.pk}").replace("after:41", "after:2")
    async with stomp(bob) as client:
        await client.text(frame)
        assert list((await client.next("RECEIPT")).headers) == [
            "receipt-id",
            "recovered",
            "after",
            "head",
        ]
        looks_like(await client.next("MESSAGE"), shown("MESSAGE", "/sub/chat/"))


async def test_participants_are_told_as_shown(room, bob):
    async with stomp(bob) as client:
        await client.subscribe(f"/sub/participant/{room.pk}", id="p")
        looks_like(await client.next("MESSAGE"), shown("MESSAGE", "/sub/participant/"))


async def test_a_refusal_is_told_as_shown(room, bob, settings):
    settings.MESSAGE_RATE, settings.MESSAGE_BURST = 0.01, 1
    async with stomp(bob) as client:
        await client.subscribe("/user/queue/errors", id="e")
        for number in range(2):
            await client.deed("message", room, "quick", receipt=str(number), client_id=number)
        told = await client.next("MESSAGE")
        example = shown("MESSAGE", "/user/queue/errors")
        looks_like(told, example)
        assert (told.headers["code"], told.body) == (example.headers["code"], example.body)


async def services_say(room, user, body):
    from messaging.log.event import Person

    await services.apost(room.pk, Person(user.pk, user.display_name), body)
