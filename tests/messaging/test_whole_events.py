"""An event is whole in every process, also where nobody wrote it: whoever follows the log there can
read what was said, by whom, and under which client id."""

import asyncio
from uuid import UUID, uuid4

from messaging.live import node
from messaging.models import Event
from tests.presence.cluster import until
from tests.raw_socket import tell
from tests.stack import open_room, post


class Heard:
    def __init__(self):
        self.events = []

    def take(self, lines):
        self.events += [line.event for line in lines.all]


async def by_page(stack, path, person):
    await asyncio.to_thread(post, f"{stack.urls[0]}/rooms/{path}/", person)


async def each_kind(stack, room, alice, bob):
    """A line of each, by the first worker."""
    await by_page(stack, f"{room}/join", bob)
    async with stack.socket(0, bob) as ws:
        await tell(ws, "send", room=room, body='"quoted", 한글\n<b>', cid=str(CID))
        await ws.recv()
    await by_page(stack, f"{room}/close", alice)
    await by_page(stack, f"{room}/reopen", alice)
    await by_page(stack, f"{room}/people/{bob.id}/hand-over", alice)
    await by_page(stack, f"{room}/leave", alice)


CID = uuid4()


async def nothing(*asked):
    return []


async def test_an_event_is_whole_in_the_process_that_did_not_write_it(stack, monkeypatch):
    alice, bob = await stack.apeople("alice", "bob")
    room = await stack.arun(open_room, alice)
    hub, heard = node.current().hub, Heard()
    feed = await hub.hold(room)
    feed.listeners.add(heard)
    monkeypatch.setattr(feed._source, "read", nothing)  # so all of it comes over the layer

    await each_kind(stack, room, alice, bob)
    stored = await stack.arun(lambda: list(Event.objects.filter(room_id=room).order_by("seq")))
    await until(lambda: feed.head == stored[-1].seq)

    assert {event.kind for event in heard.events} == set(Event.Kind)
    for line, event in zip(stored[1:], heard.events, strict=True):
        assert (event.room, event.seq, event.kind) == (room, line.seq, line.kind)
        assert (event.sender.id, event.body) == (line.sender_id, line.body)
        assert (event.cid, event.at) == (line.client_id, line.created_at)
        assert event.sender.name in {alice.name, bob.name}
    [said] = [event for event in heard.events if event.kind == "message"]
    assert said.cid == UUID(str(CID)) and said.body == '"quoted", 한글\n<b>'
    [left] = [event for event in heard.events if event.kind == "leave"]
    assert left.body == "left"
