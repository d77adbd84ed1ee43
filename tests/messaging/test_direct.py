"""What the direct way to uvicorn is for: one frame for a room, one write for a batch."""

import asyncio
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from chattalk.server.upgrades import QuickHandshake
from messaging.live import entries, node, outbox
from messaging.live.drafts import Draft
from tests.interfaces.socket.client import session_cookie
from tests.messaging.conftest import person
from tests.messaging.seen import cid, seen
from tests.messaging.served import BOTH_LOOPS, Spy, served
from tests.presence.cluster import until
from tests.raw_socket import say, tell
from tests.stack import Person, socket_at

pytestmark = BOTH_LOOPS


@pytest.fixture
def spies(monkeypatch):
    """The transports of all sockets that come."""
    spies, begin = [], QuickHandshake.begin

    def watched(protocol, shake):
        spies.append(Spy(protocol.transport))
        protocol.transport = spies[-1]
        begin(protocol, shake)

    monkeypatch.setattr(QuickHandshake, "begin", watched)
    return spies


@pytest.fixture
def framed(monkeypatch):
    """The events that were framed."""
    framed, packet = [], entries.packet

    def noting(text):
        framed.append(text)
        return packet(text)

    monkeypatch.setattr(entries, "packet", noting)
    return framed


@pytest.fixture
def signed_in(alice, bob):
    """Who is signed in before the test's loop runs: by a session, as the stack's people are."""
    people = []
    for user in (alice, bob):
        session = session_cookie(user)[1].decode().partition("=")[2]
        people.append(Person(user.pk, user.email, user.display_name, session))
    return people


@asynccontextmanager
async def room_of_five(url, room, signed_in):
    """Five sockets that listen, and whose presence is settled."""
    alice, bob = signed_in
    async with (
        seen(url, alice) as one, seen(url, alice) as two,
        seen(url, bob) as three, seen(url, bob) as four, seen(url, bob) as five,
    ):  # fmt: skip
        clients = [one, two, three, four, five]
        for client in clients:
            await client.ask("subscribe", room=room.pk)
        for client in clients:
            await client.saw_here("Alice", "Bob")
        yield clients


async def test_a_message_is_framed_once_for_all_of_the_room(room, signed_in, framed, spies):
    async with served() as url, room_of_five(url, room, signed_in) as clients:
        assert all(socket.line.is_direct for socket in node.current().connections._sockets)
        async with socket_at(url, signed_in[1]) as speaker:
            await say(speaker, room.pk, "to all of you")
        for client in clients:
            await client.saw(lambda got: got.get("body") == "to all of you")
        assert len(framed) == 1
        assert [sum(b"to all of you" in each for each in spy.writes) for spy in spies] == [
            1, 1, 1, 1, 1, 0,
        ]  # fmt: skip


async def test_messages_that_are_stored_together_are_one_write_for_each(
    room, alice, signed_in, framed, spies
):
    async with served() as url, room_of_five(url, room, signed_in) as clients:
        writer = node.current().writer
        drafts = [Draft(room.pk, person(alice), UUID(int=i), f"burst {i}") for i in range(20)]
        await asyncio.gather(*map(writer.put, drafts))
        for client in clients:
            await client.saw(lambda got: got.get("body") == "burst 19")
            bodies = [got["body"] for got in client.frames if got["type"] == "event"]
            assert bodies == [f"burst {i}" for i in range(20)]
        assert len(framed) == 20
        assert [sum(b"burst" in each for each in spy.writes) for spy in spies] == [1] * 5


async def test_who_is_in_step_is_written_to_by_a_descriptor_until_they_go(room, signed_in, spies):
    async with served() as url:
        async with room_of_five(url, room, signed_in) as clients:
            async with socket_at(url, signed_in[1]) as speaker:
                await say(speaker, room.pk, "the first")
                await say(speaker, room.pk, "the second")
            for client in clients:
                await client.saw(lambda got: got.get("body") == "the second")
            assert not any(b"the second" in each for spy in spies for each in spy.writes)
            turn = outbox._turn()
            assert len(turn.flat) == 5
        await until(lambda: not turn.flat)
        assert not turn.aside


async def test_the_answer_to_a_sender_comes_before_the_event_of_what_was_sent(room, signed_in):
    async with served() as url, seen(url, signed_in[1]) as bob:
        await bob.ask("subscribe", room=room.pk)
        for i in range(10):
            await tell(bob.ws, "send", room=room.pk, body=f"{i}", cid=cid(i))
        await bob.saw(lambda got: got.get("body") == "9")
        got = [(each["type"], each["cid"]) for each in bob.frames if "cid" in each]
        for i in range(10):
            assert got.index(("ack", cid(i))) < got.index(("event", cid(i)))
        assert [each for each in got if each[0] == "event"] == [
            ("event", cid(i)) for i in range(10)
        ]
