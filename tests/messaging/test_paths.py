"""Frames go straight to uvicorn's transport, and by the plain ASGI send to any other server.

Whoever is at the other end sees the same: here by one of our workers, and by daphne.
"""

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from chattalk.embedded import Process
from chattalk.workers import ROOT, listen
from messaging import feed, node, services
from messaging.writer import Draft
from presence.tasks import end
from tests.messaging.conftest import person
from tests.messaging.served import BOTH_LOOPS, Spy, served
from tests.messaging.sockets import session_cookie
from tests.messaging.test_two_processes import frame, open_room, say, subscribe, tell
from tests.presence.house import until
from tests.stack import Person, socket_at


@pytest.fixture(scope="module")
def daphne(_stack, tmp_path_factory):
    """On the database of the stack, as one more of its processes."""
    listener = listen("127.0.0.1", 0, 1)[0]
    fd = listener.fileno()
    command = [sys.executable, "-m", "daphne", "--fd", str(fd), "--verbosity", "0"]
    log = tmp_path_factory.mktemp("daphne") / "log"
    process = Process(
        "daphne", [*command, "tests.messaging.plainly:application"],
        log=log, folder=ROOT, pass_fds=[fd],
    )  # fmt: skip
    process.start(_stack.environment)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    process.stop()
    listener.close()
    print(log.read_text())


class Seen:
    """All that a client is sent, as it comes. Presence comes in steps of its own pace: of that, who
    is here now."""

    def __init__(self, ws):
        self.ws = ws
        self.texts, self.here = [], {}
        self._reading = asyncio.create_task(self._read())

    async def _read(self):
        async for text in self.ws:
            got = json.loads(text)
            if got["type"] == "presence":
                self._note(got)
            elif got["type"] != "heads":  # by the clock
                self.texts.append(text)

    def _note(self, got):
        here = {} if got["full"] else self.here
        came = {one["id"]: one["name"] for one in [*got.get("here", []), *got.get("came", [])]}
        went = {one["id"] for one in got.get("went", [])}
        self.here = {who: name for who, name in (here | came).items() if who not in went}

    @property
    def frames(self):
        return [json.loads(text) for text in self.texts]

    async def ask(self, type, **fields):
        """Say it, and wait for the answer to a ping that follows it."""
        await tell(self.ws, type, **fields)
        await self.settled()

    async def settled(self):
        ref = str(len(self.texts))
        await tell(self.ws, "ping", ref=ref)
        await self.saw(lambda got: got["type"] == "pong" and got["ref"] == ref)
        self.texts = [text for text in self.texts if json.loads(text).get("ref") != ref]

    async def saw(self, fits):
        await until(lambda: any(map(fits, self.frames)))

    async def saw_here(self, *names):
        await until(lambda: set(self.here.values()) == set(names))

    async def stop(self):
        await end(self._reading)


@asynccontextmanager
async def seen(url, person):
    async with socket_at(url, person) as ws:
        client = Seen(ws)
        yield client
        await client.stop()


def cid(number):
    return str(UUID(int=number))


async def test_the_transport_of_another_server_is_not_known(stack, daphne):
    async with socket_at(daphne, path="/behind") as ws:
        assert await ws.recv() == "None"


async def test_one_conversation_is_the_same_frame_for_frame_at_both_servers(stack, daphne):
    at_uvicorn = await conversation(stack, stack.urls[0])
    at_daphne = await conversation(stack, daphne)
    assert at_daphne == at_uvicorn


async def conversation(stack, url):
    """What bob is sent there, without times and ids; alice is at a server of her own."""
    alice, bob, dana = await stack.apeople("alice", "bob", "dana")
    room = await stack.arun(open_room, alice, bob)
    people = {alice.id: "alice", bob.id: "bob", dana.id: "dana"}
    names = {"room": {room: "the room"}, "id": people}
    async with stack.socket(1, alice) as one, seen(url, bob) as two:
        await subscribe(one, room)
        await two.ask("subscribe", room=room)
        await two.saw_here("Alice", "Bob")
        await _others_talk(stack, room, alice, dana, one, two)
        await _bob_talks(room, two)
        await _bob_comes_back(room, two)
    return [json.dumps(_plain(got, names)) for got in two.frames]


async def _others_talk(stack, room, alice, dana, one, two):
    for number, body in enumerate(["hello", "안녕 🙂", "x" * 4000]):
        await tell(one, "send", room=room, body=body, cid=cid(number))
        last = await frame(one, "ack")
    await two.saw(lambda got: got.get("seq") == last["seq"])
    await tell(one, "typing", room=room)
    await two.saw(lambda got: got["type"] == "typing")
    await stack.arun(_join, room, dana)
    await two.saw(lambda got: got.get("kind") == "enter")
    async with stack.socket(1, dana) as three:
        await subscribe(three, room)
        await two.saw_here("Alice", "Bob", "Dana")
        await stack.arun(_leave, room, dana)
        await two.saw(lambda got: got.get("kind") == "leave")
        await two.saw_here("Alice", "Bob")


async def _bob_talks(room, two):
    await tell(two.ws, "send", room=room, body="mine", cid=cid(1), ref="first")
    await two.saw(lambda got: got.get("body") == "mine")
    for body in ("mine", "another", " "):  # a repeat, a conflict, and nothing
        before = len(two.texts)
        await tell(two.ws, "send", room=room, body=body, cid=cid(1))
        await until(lambda before=before: len(two.texts) > before)
    await tell(two.ws, "send", room=2**60, body="who?", cid=cid(2))
    await two.saw(lambda got: got["type"] == "nack" and got["code"] == "not_member")
    await two.ask("nothing of the kind")
    await two.ask("read", room=room, seq=3)
    await two.ask("typing", room=room)
    await two.ask("unsubscribe", room=room)


async def _bob_comes_back(room, two):
    for after in (5, 0, 10_000):  # from the ring, from the database, from where nobody was
        await two.ask("subscribe", room=room, after=after)
    await two.ask("watch", rooms=[room, 2**60])


def _plain(got, names):
    if isinstance(got, list):
        return [_plain(each, names) for each in got]
    if not isinstance(got, dict):
        return got
    return {
        key: names[key].get(value, value) if key in names else _plain(value, names)
        for key, value in got.items()
        if key != "at"
    }


def _user(person):
    from accounts.models import User

    return User.objects.get(pk=person.id)


def _join(room_id, person):
    services.join(room_id, _user(person))


def _leave(room_id, person):
    services.leave(room_id, _user(person))


def _remove(room_id, person, by):
    services.remove(room_id, person.id, by=_user(by))


async def test_who_is_removed_amid_a_burst_sees_the_same_to_the_byte_at_both(stack, daphne):
    alice, bob = await stack.apeople("alice", "bob")
    room = await stack.arun(open_room, alice, bob)
    async with (
        stack.socket(1, alice) as one,
        seen(stack.urls[0], bob) as fast,
        seen(daphne, bob) as plain,
    ):
        for client in (fast, plain):
            await client.ask("subscribe", room=room)
        removing = None
        for i in range(18):
            await tell(one, "send", room=room, body=f"{i}", cid=cid(i))
            if i == 8:
                await frame(one, "ack")
                removing = asyncio.create_task(stack.arun(_remove, room, bob, alice))
            await asyncio.sleep(0)
        await removing
        for _ in range(17):
            assert (await frame(one, "ack", "nack"))["type"] == "ack"
        for client in (fast, plain):
            await client.saw(lambda got: got["type"] == "unsubscribed")
            await client.settled()
        assert fast.texts == plain.texts
        *events, leave, unsubscribed = fast.frames[2:]  # after hello and subscribed
        assert [event["body"] for event in events] == [f"{i}" for i in range(len(events))]
        assert (leave["kind"], leave["from"]["id"]) == ("leave", bob.id)
        assert unsubscribed == {"type": "unsubscribed", "room": room, "code": "removed"}


async def test_what_was_missed_is_the_same_to_the_byte_live_from_the_ring_and_the_database(
    stack, daphne
):
    alice, bob = await stack.apeople("alice", "bob")
    room = await stack.arun(open_room, alice, bob)
    brought = []
    for url in (stack.urls[0], daphne):
        async with seen(url, bob) as live:
            await live.ask("subscribe", room=room)
            async with stack.socket(1, alice) as one:
                for i in range(3):
                    last = await say(one, room, f"{i} 한")
            await live.saw(lambda got, last=last: got.get("seq") == last["seq"])
            brought.append((live.texts[2:], last["seq"]))
    total = brought[-1][1]
    log = brought[0][0] + brought[1][0]
    for url in (stack.urls[0], daphne):
        for after in (total - 3, total - 6, 0):
            async with seen(url, bob) as back:
                await back.ask("subscribe", room=room, after=after)
                await back.saw(lambda got: got.get("seq") == total)
                assert back.frames[1]["recovered"]
                assert back.texts[-min(total - after, 6) :] == log[-min(total - after, 6) :]


# --- what the direct way is for -------------------------------------------------------------------


@pytest.fixture
def spies(monkeypatch):
    """The transports of all sockets that come."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    spies, made = [], WebSocketsSansIOProtocol.connection_made

    def connection_made(protocol, transport):
        spies.append(Spy(transport))
        made(protocol, spies[-1])

    monkeypatch.setattr(WebSocketsSansIOProtocol, "connection_made", connection_made)
    return spies


@pytest.fixture
def framed(monkeypatch):
    """The events that were framed."""
    framed, packet = [], feed.packet

    def noting(text):
        framed.append(text)
        return packet(text)

    monkeypatch.setattr(feed, "packet", noting)
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


@BOTH_LOOPS
async def test_a_message_is_framed_once_for_all_of_the_room(room, signed_in, framed, spies):
    async with served() as url, room_of_five(url, room, signed_in) as clients:
        assert all(socket.line.is_direct for socket in node.current().sockets._sockets)
        async with socket_at(url, signed_in[1]) as speaker:
            await say(speaker, room.pk, "to all of you")
        for client in clients:
            await client.saw(lambda got: got.get("body") == "to all of you")
        assert len(framed) == 1
        assert [sum(b"to all of you" in each for each in spy.writes) for spy in spies] == [
            1, 1, 1, 1, 1, 0,
        ]  # fmt: skip


@BOTH_LOOPS
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


@BOTH_LOOPS
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
