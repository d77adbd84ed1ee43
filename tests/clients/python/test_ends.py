"""What a site may say that ours can't be made to: close codes that are final, and nonsense.

A site of a few lines says it; it speaks only the frames of docs/wire.md that a test gives it.
"""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from chattalk_client import ChatTalk, Ended, Failed, Message, SignedOut
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

HELLO = {"type": "hello", "user": {"id": 3, "name": "Bob"}, "heartbeat": 25, "version": 1}
ABOUT = {"title": "Tea", "description": "", "capacity": 50, "owner": 3, "closed": False}
SUBSCRIBED = {
    "type": "subscribed", "room": 7, "head": 0, "after": 0, "read": 0, "recovered": True,
    "about": ABOUT | {"personnel": 1, "first": 1}, "ref": "subscribe 7",
}  # fmt: skip

HEAR = object()  # a frame, and say nothing


def line(seq):
    at = "2026-11-23T14:03:07.123456Z"
    told = {"type": "event", "room": 7, "seq": seq, "kind": "message", "at": at}
    return told | {
        "from": HELLO["user"],
        "cid": "0e4a7c1e-1d4e-4a43-a5a5-0d6f0f0a7b51",
        "body": "x",
    }


class Small:
    """What it heard; and for each socket a script of frames, or of codes to close it with."""

    def __init__(self, *scripts):
        self.scripts = list(scripts)
        self.heard = []
        self.closed_by = []  # the codes with which the client closed

    async def __call__(self, socket):
        for step in self.scripts.pop(0):
            if isinstance(step, int):
                await socket.close(step)
            elif isinstance(step, asyncio.Event):
                await step.wait()
            elif step is HEAR:
                self.heard.append(json.loads(await socket.recv()))
            elif isinstance(step, dict) and step["type"] == "subscribed":
                self.heard.append(json.loads(await socket.recv()))
                await socket.send(json.dumps(step))
            else:
                await socket.send(step if isinstance(step, str) else json.dumps(step))
        try:
            async for text in socket:
                self.heard.append(json.loads(text))
        except ConnectionClosed:
            pass  # as a test may want it
        self.closed_by.append(socket.close_code)


@asynccontextmanager
async def chat_at(small):
    """Bob at such a site, with nothing but an access token."""
    async with asyncio.timeout(30), serve(small, "127.0.0.1", 0, subprotocols=["chattalk"]) as site:
        port = site.sockets[0].getsockname()[1]
        async with ChatTalk(f"http://127.0.0.1:{port}", access="a-token") as chat:
            yield chat


@asynccontextmanager
async def bob_at(small):
    """The same, in room 7."""
    async with chat_at(small) as chat:
        yield await chat.enter(7)


@pytest.mark.parametrize("code, error", [(4003, Ended), (1009, Ended), (4001, SignedOut)], ids=str)
async def test_a_final_close_code_ends_the_iteration_with_a_clear_exception(code, error):
    async with bob_at(Small([HELLO, SUBSCRIBED, line(1), code])) as room:
        assert isinstance(await anext(room.events()), Message)
        with pytest.raises(error) as raised:
            await anext(room.events())
        assert error is SignedOut or raised.value.code == code
        with pytest.raises(error):
            await room.send("to nobody")


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 4008, 4013, 4500])
async def test_after_the_others_it_comes_back_and_resumes(code, monkeypatch):
    monkeypatch.setattr("chattalk_client.backoff.Backoff.wait", lambda *_, **__: 0.0)
    site = Small([HELLO, SUBSCRIBED, line(1), line(2), code], [HELLO, SUBSCRIBED, line(3)])
    async with bob_at(site) as room:
        assert [(await anext(room.events())).seq for _ in range(3)] == [1, 2, 3]
        subscribes = [frame for frame in site.heard if frame["type"] == "subscribe"]
        assert [frame.get("after") for frame in subscribes] == [None, 2]


@pytest.mark.parametrize("nonsense", ["not JSON", "[]", '{"type":"event","room":7}'])
async def test_a_fault_of_the_reader_reaches_who_iterates(nonsense):
    async with bob_at(Small([HELLO, SUBSCRIBED, nonsense])) as room:
        with pytest.raises(Failed) as failed:
            await anext(room.events())
        assert failed.value.__cause__ is not None


async def test_who_closes_the_client_says_goodbye_and_is_away_from_then_on():
    """The site takes 1000 for a goodbye. After a code of a fault, the last thing heard counts."""
    site = Small([HELLO, SUBSCRIBED])
    async with bob_at(site):
        pass
    assert site.closed_by == [1000]


async def test_frames_and_fields_that_are_newer_are_no_matter():
    newer = [{"type": "weather", "room": 7}, {"type": "typing", "room": 9}, {"type": "pong"}]
    site = Small([HELLO | {"moon": "full"}, SUBSCRIBED, *newer, line(1) | {"mood": "good"}])
    async with bob_at(site) as room:
        assert (await anext(room.events())).seq == 1


async def test_a_line_that_comes_twice_is_given_out_once():
    site = Small([HELLO, SUBSCRIBED, line(1), line(1), line(2), line(1), line(3)])
    async with bob_at(site) as room:
        assert [(await anext(room.events())).seq for _ in range(3)] == [1, 2, 3]


async def test_where_the_heads_are_further_it_subscribes_again():
    site = Small(
        [HELLO, SUBSCRIBED, line(1), {"type": "heads", "rooms": {"7": 3}}, SUBSCRIBED, line(2)]
    )
    async with bob_at(site) as room:
        assert [(await anext(room.events())).seq for _ in range(2)] == [1, 2]
        assert [frame.get("after") for frame in site.heard] == [None, 1]


async def test_who_is_cancelled_while_entering_is_not_in_and_may_enter_again():
    cancelled = asyncio.Event()
    site = Small([HELLO, cancelled, SUBSCRIBED, HEAR, SUBSCRIBED, line(1)])
    async with chat_at(site) as chat:
        entering = asyncio.create_task(chat.enter(7))
        await asyncio.sleep(0.05)
        entering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await entering
        cancelled.set()
        while len(site.heard) < 2:
            await asyncio.sleep(0.01)
        room = await chat.enter(7)
        assert (await anext(room.events())).seq == 1
        assert [frame["type"] for frame in site.heard] == ["subscribe", "unsubscribe", "subscribe"]


async def test_who_is_in_a_room_can_not_enter_it_twice_but_leave_and_come_back():
    async with chat_at(Small([HELLO, SUBSCRIBED, HEAR, SUBSCRIBED, line(1)])) as chat:
        room = await chat.enter(7)
        with pytest.raises(ValueError, match="already"):
            await chat.enter(7)
        await room.exit()
        assert [event async for event in room.events()] == [] and room.ended == "exited"
        again = await chat.enter(7)
        assert (await anext(again.events())).seq == 1


async def test_who_was_never_let_in_is_signed_out():
    with pytest.raises(SignedOut):
        async with bob_at(Small([4001], [4001])):
            pass


async def test_what_is_no_site_is_said_at_once():
    async with serve(Small(), "127.0.0.1", 0, process_request=_not_found) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Ended, match="HTTP 404"):
            async with ChatTalk(f"http://127.0.0.1:{port}", access="a-token"):
                pass


def _not_found(connection, _request):
    return connection.respond(404, "no such thing\n")
