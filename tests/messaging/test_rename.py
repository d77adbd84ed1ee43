"""Somebody takes another name while sockets are open: every door of every process says it."""

import asyncio
import json
import urllib.request
from contextlib import asynccontextmanager

import pytest

from accounts.models import User
from tests.raw_socket import frame, say, subscribe, tell
from tests.stack import open_room

SECONDS = 5  # two of ours, and those of a busy machine


def rename(url, person, name):
    """As a mobile client does it, on the process at that address."""
    body = json.dumps({"display_name": name}).encode()
    request = urllib.request.Request(f"{url}/api/v1/me/", body, person.headers, method="PATCH")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def loaded(url, person, room):
    address = f"{url}/api/v1/rooms/{room}/events/"
    request = urllib.request.Request(address, headers=person.headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["results"]


def names(events, person):
    return [event["from"]["name"] for event in events if event["from"]["id"] == person.id]


async def events_up_to(ws, seq):
    found = []
    while not found or found[-1]["seq"] < seq:
        found.append(await frame(ws, "event"))
    return found


async def called(ws, person, name):
    """Until the others are shown who is here under that name."""
    while True:
        here = await frame(ws, "presence")
        people = [*here.get("came", ()), *here.get("here", ())]
        if {"id": person.id, "name": name} in people:
            return


@asynccontextmanager
async def heard_by_the_old_name(stack):
    """Alice at the first process, and bob, who has said something, at the second."""
    alice, bob = await stack.apeople("alice", "bob")
    room = await stack.arun(open_room, alice, bob)
    async with stack.socket(0, alice) as one, stack.socket(1, bob) as two:
        await subscribe(one, room)
        await subscribe(two, room)
        await say(two, room, "before")
        assert names([await frame(one, "event")], bob) == ["Bob"]
        for number in (0, 1):  # from here on these lines are kept ready there
            assert await resumed(stack, number, alice, bob, room) == ["Bob"] * 2  # entered, before
        yield alice, bob, room, one, two


async def resumed(stack, number, alice, bob, room):
    """Bob's names in the lines that one who comes back to this process is told."""
    async with stack.socket(number, alice) as back:
        await subscribe(back, room, after=0)
        return names([await frame(back, "event") for _ in range(3)], bob)


def save(person, name):
    """As a command does it: there is no server in this process."""
    user = User.objects.get(pk=person.id)
    user.display_name = name
    user.save()


# The first one: for 5 s after a rename that is told, lines are read anew once more in any case.
async def test_lines_of_who_has_no_socket_and_is_renamed_by_a_command_have_the_name_too(stack):
    async with heard_by_the_old_name(stack) as (alice, bob, room, one, two):
        await two.close()
        await stack.arun(save, bob, "Roberta")
        async with asyncio.timeout(SECONDS):
            for number in (0, 1):
                while await resumed(stack, number, alice, bob, room) != ["Roberta"] * 2:
                    await asyncio.sleep(0.1)


@pytest.mark.parametrize("by", [0, 1])
async def test_live_resumed_and_loaded_lines_have_the_name_as_it_is_now(stack, by):
    async with heard_by_the_old_name(stack) as (alice, bob, room, one, two):
        async with asyncio.timeout(SECONDS):
            await asyncio.to_thread(rename, stack.urls[by], bob, "Roberta")
            await called(one, bob, "Roberta")
        await tell(two, "typing", room=room)
        assert (await frame(one, "typing"))["user"] == {"id": bob.id, "name": "Roberta"}
        seq = (await say(two, room, "after"))["seq"]
        assert names([await frame(one, "event")], bob) == ["Roberta"]
        for number in (0, 1):
            async with stack.socket(number, alice) as back:
                assert (await subscribe(back, room, after=0))["recovered"]
                told = names(await events_up_to(back, seq), bob)
                assert told == ["Roberta"] * 3, number  # entered, before, after
            read = await asyncio.to_thread(loaded, stack.urls[number], alice, room)
            assert names(read, bob) == told


async def test_a_name_that_was_changed_past_all_of_us_is_known_within_two_seconds(stack):
    async with heard_by_the_old_name(stack) as (alice, bob, room, one, two):
        await stack.arun(User.objects.filter(pk=bob.id).update, display_name="Robin")
        await called(one, bob, "Robin")
        await say(two, room, "after")
        assert names([await frame(one, "event")], bob) == ["Robin"]
        async with stack.socket(0, alice) as back:
            await subscribe(back, room, after=0)
            assert names([await frame(back, "event") for _ in range(4)], bob) == ["Robin"] * 3


async def test_somebody_on_two_processes_is_renamed_for_who_is_on_one(stack):
    alice, bob = await stack.apeople("alice", "bob")
    room = await stack.arun(open_room, alice, bob)
    async with stack.socket(0, bob) as here, stack.socket(1, bob) as there:
        await subscribe(here, room)
        await subscribe(there, room)
        async with stack.socket(0, alice) as one:
            await subscribe(one, room)
            await asyncio.to_thread(rename, stack.urls[0], bob, "Roberta")
            await called(one, bob, "Roberta")
            for ws in (here, there):
                await say(ws, room, "it is me")
                assert names([await frame(one, "event")], bob) == ["Roberta"]


async def test_a_stomp_session_speaks_by_the_new_name(stack):
    alice, bob = await stack.apeople("alice", "bob")
    room = await stack.arun(open_room, alice, bob)
    async with stack.socket(0, alice) as one, stack.socket(1, bob, "/stomp") as client:
        await subscribe(one, room)
        for text in (
            "CONNECT\naccept-version:1.2\nhost:x\n\n\0",
            f"SUBSCRIBE\nid:1\ndestination:/sub/chat/{room}\n\n\0",
        ):
            await client.send(text)
        await called(one, bob, "Bob")
        await asyncio.to_thread(rename, stack.urls[0], bob, "Roberta")
        await called(one, bob, "Roberta")
        body = json.dumps({"chatId": str(room), "message": "hello"})
        await client.send(f"SEND\ndestination:/send/chat/message\n\n{body}\0")
        assert names([await frame(one, "event")], bob) == ["Roberta"]


async def stomp_until(client, *words):
    """The next frame that has all of these in it."""
    async with asyncio.timeout(10):
        while True:
            text = await client.recv()
            if all(word in text for word in words):
                return text


async def test_lists_and_lines_of_the_original_s_wire_have_it_too(stack):
    alice, bob = await stack.apeople("alice", "bob")
    room = await stack.arun(open_room, alice, bob)
    async with stack.socket(0, alice, "/stomp") as client, stack.socket(1, bob) as two:
        await subscribe(two, room)
        await client.send("CONNECT\naccept-version:1.2\nhost:x\n\n\0")
        for number, topic in enumerate(("chat", "participant")):
            await client.send(f"SUBSCRIBE\nid:{number}\ndestination:/sub/{topic}/{room}\n\n\0")
        await stomp_until(client, "participant", f"Bob#{bob.id}")
        await asyncio.to_thread(rename, stack.urls[1], bob, "Roberta")
        async with asyncio.timeout(SECONDS):
            await stomp_until(client, "participant", f"Roberta#{bob.id}")
        await say(two, room, "hello")
        assert f"Roberta#{bob.id}" in await stomp_until(client, "/sub/chat", "hello")


@pytest.mark.parametrize("by", ["rest", "a command"])
async def test_who_is_away_is_listed_by_their_new_name(stack, by):
    alice, bob = await stack.apeople("alice", "bob")
    room = await stack.arun(open_room, alice, bob)
    async with stack.socket(0, alice, "/stomp") as client:
        await client.send("CONNECT\naccept-version:1.2\nhost:x\n\n\0")
        await client.send(f"SUBSCRIBE\nid:1\ndestination:/sub/participant/{room}\n\n\0")
        await stomp_until(client, f"Bob#{bob.id}")
        if by == "rest":
            await asyncio.to_thread(rename, stack.urls[1], bob, "Roberta")
        else:
            await stack.arun(save, bob, "Roberta")
        async with asyncio.timeout(SECONDS):
            await stomp_until(client, f"Roberta#{bob.id}")
