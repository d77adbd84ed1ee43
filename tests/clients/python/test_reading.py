"""What is read in a room: every line in order, each once, however slow the reader is."""

import asyncio

import pytest
from chattalk_client import (
    ChatTalk,
    Close,
    Enter,
    Leave,
    Message,
    Open,
    Other,
    Owner,
    Presence,
    Pruned,
    ReadTo,
)
from chattalk_client.feed import KEPT_MAX

from messaging import log
from messaging.live.frames import RESUME_MAX
from messaging.models import Event
from tests.clients.python.conftest import bodies, signed_in, told, two

NUMBERS = [f"{number}" for number in range(2 * KEPT_MAX)]


async def say(room, texts):
    await asyncio.gather(*[room.send(text) for text in texts])


async def test_a_slow_reader_gets_all_keeps_little_and_holds_nothing_up(fast):
    async with two(fast) as (alice, bob):
        await say(alice, NUMBERS)
        await told(lambda: bob.head == alice.head, "bob is behind")
        assert len(bob._visit.feed._live) == KEPT_MAX
        await bob.send("an answer comes all the same")
        assert await bodies(bob, len(NUMBERS) + 1) == [*NUMBERS, "an answer comes all the same"]


async def test_what_a_resume_can_not_bring_is_read_from_the_log(fast):
    async with two(fast) as (alice, bob):
        first = bob.last
        texts = [f"{number}" for number in range(RESUME_MAX + 50)]
        await bob.exit()
        await say(alice, texts)
        async with signed_in(fast, "Dana") as dana:
            await dana.join(bob.id)
            room = await dana.enter(bob.id, after=first)
            assert await bodies(room, len(texts)) == texts
            event = await anext(room.events())
            assert isinstance(event, Enter) and event.sender == dana.me


async def test_who_stops_reading_goes_on_where_they_stopped(fast):
    async with two(fast) as (alice, bob):
        await say(alice, NUMBERS[:6])
        assert await bodies(bob, 3) == NUMBERS[:3]
        assert await bodies(bob, 3) == NUMBERS[3:6]
        waiting = asyncio.create_task(anext(bob.events()))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        await say(alice, NUMBERS[6:10])
        assert await bodies(bob, 4) == NUMBERS[6:10]
        assert bob.last == bob.head


async def test_two_can_not_read_one_room_by_one_client(fast):
    async with two(fast) as (_alice, bob):
        waiting = asyncio.create_task(anext(bob.events()))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="somebody else"):
            await anext(bob.events())
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_each_kind_has_its_class_and_a_newer_one_is_passed_through(fast):
    async with signed_in(fast, "Alice") as alice, signed_in(fast, "Bob", 1) as bob:
        card = await alice.open("Tea")
        await bob.join(card.id)
        await alice.call("POST", f"rooms/{card.id}/transfer/", {"user": bob.me.id})
        await bob.call("POST", f"rooms/{card.id}/close/")
        await bob.call("POST", f"rooms/{card.id}/reopen/")
        room = await alice.enter(card.id, after=0)
        await fast.arun(log.append, card.id, "poll", [bob.me.id], "Tea or coffee?")
        await room.send("live, behind what is new")
        await alice.leave(card.id)
        events = [event async for event in room.events()]
        assert [event.seq for event in events] == list(range(1, 9))
        kinds = [Enter, Enter, Owner, Close, Open, Other, Message, Leave]
        assert [type(event) for event in events] == kinds
        assert (events[2].sender, events[7].how) == (bob.me, "left")
        assert (events[5].kind, events[5].told["body"]) == ("poll", "Tea or coffee?")


async def test_lines_that_are_kept_no_longer_are_said_to_be_missing(fast):
    async with two(fast) as (alice, bob):
        await say(alice, NUMBERS)
        await told(lambda: bob.head == alice.head, "bob is behind")
        first = bob.last
        await fast.arun(Event.objects.filter(room=bob.id, seq__lte=first + 100).delete)
        assert await anext(bob.events()) == Pruned(room=bob.id, after=first, upto=first + 100)
        assert await bodies(bob, len(NUMBERS) - 100) == NUMBERS[100:]


async def test_a_page_of_the_log(fast):
    async with two(fast) as (alice, bob):
        await say(alice, NUMBERS[:9])
        page = await bob.history(limit=3)
        assert [event.body for event in page.events] == NUMBERS[6:9]
        assert (page.earlier, page.later, page.head) == (True, False, alice.head)
        page = await bob.history(before=page.events[0].seq, limit=3)
        assert [event.body for event in page.events] == NUMBERS[3:6]
        assert (page.earlier, page.later) == (True, True)


async def test_who_is_shown_out_reads_to_the_end(fast):
    async with signed_in(fast, "Alice") as alice, signed_in(fast, "Bob", 1) as bob:
        card = await alice.open("Tea")
        await bob.join(card.id)
        room = await bob.enter(card.id)
        await alice.call("DELETE", f"rooms/{card.id}/members/{bob.me.id}/")
        (event,) = [event async for event in room.events()]
        assert (event.kind, event.how, room.ended) == ("leave", "removed", "removed")
        assert [hint.count async for hint in room.hints() if isinstance(hint, Presence)]


async def test_how_far_i_have_read_is_told_to_my_other_device_and_never_goes_back(fast):
    async with signed_in(fast, "Alice") as alice:
        here = await alice.enter((await alice.open("Tea")).id)
        await say(here, NUMBERS[:3])
        await here.read(here.head)
        await here.read(1)
        async with ChatTalk(fast.urls[1], access=await alice._sign_in.proof()) as other:
            there = await other.enter(here.id)
            await told(lambda: there.read_seq == here.head, "not read there")
            await say(there, ["more"])
            await told(lambda: here.head == there.head, "not told here")
            await here.read(here.head)
            while await anext(there.hints()) != ReadTo(here.id, here.head):
                pass
            assert there.read_seq == here.head


async def test_rooms_are_listed_over_their_pages(fast):
    async with signed_in(fast, "Alice") as alice:
        ids = [(await alice.open(f"Tea {number}", capacity=3)).id for number in range(51)]
        cards = [card async for card in alice.rooms(mine=True)]
        assert [card.id for card in cards] == ids[::-1]
        card = cards[0]
        assert (card.title, card.capacity, card.personnel) == ("Tea 50", 3, 1)
        assert (card.owner, card.closed_at) == (alice.me, None)
        found = [card.id async for card in alice.rooms(mine=True, q="Tea 50", state="open")]
        assert found == ids[-1:]
