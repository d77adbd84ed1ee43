"""What one process can't show: people on two, with real sockets, and what becomes of them."""

import asyncio
import json
from uuid import uuid4

from django.conf import settings

from messaging.models import Event
from tests.raw_socket import frame, say, subscribe, tell
from tests.stack import open_room, post


async def test_everybody_sees_everything_once_in_order_over_both_processes(stack):
    people = stack.people("alice", "bob", "dana", "erin")
    room = await stack.arun(open_room, *people)
    many = settings.MESSAGE_BURST

    async def talk(number, person):
        async with stack.socket(number % 2, person) as ws:
            await subscribe(ws, room)
            everyone_is_here.release()
            await go.wait()
            for i in range(many):
                await tell(ws, "send", room=room, body=f"{person.name} {i}", cid=str(uuid4()))
            events = [await frame(ws, "event") for _ in range(many * len(people))]
            return [(event["seq"], event["body"]) for event in events]

    everyone_is_here, go = asyncio.Semaphore(0), asyncio.Event()
    talks = [asyncio.create_task(talk(i, person)) for i, person in enumerate(people)]
    for _ in people:
        await everyone_is_here.acquire()
    go.set()
    seen = await asyncio.gather(*talks)
    first = seen[0][0][0]
    assert [seq for seq, _ in seen[0]] == list(range(first, first + many * len(people)))
    assert all(each == seen[0] for each in seen)
    assert len({body for _, body in seen[0]}) == many * len(people)


async def test_what_was_missed_is_there_after_coming_back_to_the_other_process(stack):
    alice, bob = stack.people("alice", "bob")
    room = await stack.arun(open_room, alice, bob)
    async with stack.socket(0, bob) as ws:
        last = (await subscribe(ws, room))["head"]
    async with stack.socket(0, alice) as one:
        for i in range(20):
            await say(one, room, f"{i}")
        async with stack.socket(1, bob) as two:
            answer = await subscribe(two, room, after=last)
            assert answer["recovered"]
            missed = [await frame(two, "event") for _ in range(20)]
            assert [event["body"] for event in missed] == [f"{i}" for i in range(20)]


async def test_leaving_by_a_page_of_one_process_ends_the_socket_on_the_other(stack):
    alice, bob = stack.people("alice", "bob")
    room = await stack.arun(open_room, alice, bob)
    async with stack.socket(1, bob) as ws:
        await subscribe(ws, room)
        await asyncio.to_thread(post, f"{stack.urls[0]}/rooms/{room}/leave/", bob)
        assert (await frame(ws, "unsubscribed"))["code"] == "left"
        assert (await say(ws, room, "still here?"))["code"] == "not_member"


async def test_a_killed_process_loses_nothing_that_it_acknowledged(stack):
    alice, bob = stack.people("alice", "bob")
    room = await stack.arun(open_room, alice, bob)
    acknowledged = set()
    async with stack.socket(1, bob) as reader:
        await subscribe(reader, room)
        async with stack.socket(0, alice) as writer:
            for i in range(10):
                await say(writer, room, f"{i}")
                acknowledged.add(f"{i}")
            for i in range(10, 40):
                await tell(writer, "send", room=room, body=f"{i}", cid=str(uuid4()))
            stack.kill9(0)
        seen = []
        while not acknowledged <= set(seen):
            seen.append((await frame(reader, "event"))["body"])
        stored = await stack.arun(_bodies, room)
        while len(seen) < len(stored):
            seen.append((await frame(reader, "event"))["body"])
        assert seen == stored


def _bodies(room_id):
    log = Event.objects.filter(room_id=room_id, kind="message").order_by("seq")
    return list(log.values_list("body", flat=True))


async def test_presence_crosses_processes_and_follows_the_last_tab(stack):
    alice, bob = stack.people("alice", "bob")
    room = await stack.arun(open_room, alice, bob)
    async with stack.socket(0, alice) as one:
        await subscribe(one, room)
        assert (await frame(one, "presence"))["here"] == [{"id": alice.id, "name": "Alice"}]
        async with stack.socket(1, bob) as tab:
            await subscribe(tab, room)
            assert (await frame(one, "presence"))["came"] == [{"id": bob.id, "name": "Bob"}]
            async with stack.socket(0, bob) as other_tab:
                await subscribe(other_tab, room)
        went = await frame(one, "presence")
        assert [person["id"] for person in went["went"]] == [bob.id]
        assert went["count"] == 1


async def test_the_people_of_a_killed_process_are_marked_gone(stack):
    alice, bob = stack.people("alice", "bob")
    room = await stack.arun(open_room, alice, bob)
    async with stack.socket(0, alice) as one, stack.socket(1, bob) as two:
        await subscribe(one, room)
        await subscribe(two, room)
        while (await frame(one, "presence"))["count"] < 2:
            pass
        stack.kill9(1)
        async with asyncio.timeout(30):
            while (await _presence(one))["count"] > 1:
                pass


async def _presence(ws):
    while (got := json.loads(await ws.recv()))["type"] != "presence":
        pass
    return got


async def test_a_socket_that_is_idle_longer_than_redis_clients_like_stays_open(stack):
    alice, bob = stack.people("alice", "bob")
    room = await stack.arun(open_room, alice, bob)
    async with stack.socket(0, alice) as one, stack.socket(1, bob) as two:
        await subscribe(one, room)
        await subscribe(two, room)
        await asyncio.sleep(7)  # redis-py 8 closes what is idle for 5 s; channels fall silent then
        await say(two, room, "still there?")
        assert (await frame(one, "event"))["body"] == "still there?"


async def test_the_rate_is_one_over_all_processes(stack):
    (alice,) = await stack.apeople("alice")
    room = await stack.arun(open_room, alice)
    async with stack.socket(0, alice) as one, stack.socket(1, alice) as two:
        await subscribe(one, room)
        await subscribe(two, room)
        for i in range(settings.MESSAGE_BURST):
            assert (await say(one, room, f"{i}"))["type"] == "ack"
        while (await frame(two, "event"))["seq"] < settings.MESSAGE_BURST + 1:
            pass
        answers = [await say(two, room, f"more {i}") for i in range(settings.MESSAGE_BURST)]
        assert "rate_limited" in [answer.get("code") for answer in answers]
